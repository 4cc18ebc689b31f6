import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { type Place, startServer } from './command-line.ts'

const run = promisify(execFile)
const REPOSITORY = join(import.meta.dirname, '../../..')
const GUIDES = join(REPOSITORY, 'docs/guides')
const CLI = JSON.parse(readFileSync(join(REPOSITORY, 'packages/cli/package.json'), 'utf8'))
const BLOCK = /^```sh\n([\s\S]*?)^```$/gm

/** A tool that a guide uses beside Node: a guide whose tool is missing is skipped, and says which. */
const TOOLS = ['curl', 'openssl', 'python3'].map((name) => ({
  name,
  missing: spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
}))
/** The guide takes Debian's Python where the first in the path has no PyJWT. */
const PYJWT_MISSING = ['python3', '/usr/bin/python3'].every(
  (python) => spawnSync(python, ['-c', 'import jwt, cryptography']).status !== 0,
)

let place: Place | undefined

afterEach(async () => {
  await place?.remove()
  place = undefined
})

/** The commands of a guide, in order, as one script that ends at the first that fails. */
function scriptOf(guide: string): string {
  const blocks = [...readFileSync(join(GUIDES, guide), 'utf8').matchAll(BLOCK)].map(
    ([, commands]) => commands,
  )
  expect(blocks.length).toBeGreaterThan(0)
  return `set -euo pipefail\n${blocks.join('\n')}`
}

function missingTool(script: string): string | undefined {
  if (/import jwt\b/.test(script) && PYJWT_MISSING) return 'python3-jwt'
  return TOOLS.find(({ name, missing }) => missing && new RegExp(`\\b${name}\\b`).test(script))?.name
}

describe('the commands of the guide', () => {
  const guides = readdirSync(GUIDES).filter((name) => name.endsWith('.md'))

  test.each(guides)(
    '%s do what it says, in an empty folder',
    async (guide) => {
      const script = scriptOf(guide)
      const missing = missingTool(script)
      if (missing !== undefined) {
        expect(process.env.CI, `${missing} is installed in CI`).toBeUndefined()
        console.log(`skipped: ${guide} needs ${missing}`)
        return
      }
      place = await startServer()
      // So that `npx claviger` finds the command that is tested, as it does in a project that installed it.
      const installed = join(place.folder, 'node_modules/.bin')
      mkdirSync(installed, { recursive: true })
      symlinkSync(join(REPOSITORY, 'packages/cli', CLI.bin.claviger), join(installed, 'claviger'))
      writeFileSync(join(place.folder, 'guide.sh'), script)
      const rootKey = readFileSync(join(place.folder, 'claviger-data/root-key'), 'utf8').trim()
      const ended = await run('bash', ['guide.sh'], {
        cwd: place.folder,
        timeout: 120_000,
        env: { ...process.env, CLAVIGER_URL: place.url, CLAVIGER_KEY: rootKey, NO_COLOR: '1' },
      }).catch((failure: Error & { stdout?: string }) => ({
        stderr: `${failure.message}\n${failure.stdout}`,
      }))
      expect(ended, ended.stderr).toHaveProperty('stdout')
    },
    180_000,
  )
})
