import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFetchProtection } from '../src/middleware/fetch.ts'
import * as portable from '../src/portable/index.ts'
import { buildPortable, type PortableBuild } from './build-portable.ts'
import { judgeCorpus } from './judge-corpus.ts'
import { makeCorpus } from './portable-corpus.ts'

type Judgement = Awaited<ReturnType<typeof judgeCorpus>>

/** Where `npm ci --prefix .ci/runtimes` puts them. Without it their tests are skipped; in CI that is a failure. */
const RUNTIMES = join(import.meta.dirname, '../../../.ci/runtimes/node_modules')

/** Algorithms that every runtime must have, and those that one may lack. */
const EVERYWHERE = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'Ed25519',
] as const
const SOMEWHERE = ['ES512', 'ML-DSA-65', 'HS256'] as const

const IMPORTS = `import * as portable from './portable.js'
import { createFetchProtection } from './fetch.js'
import { corpus } from './corpus.js'
import { judgeCorpus } from './judge-corpus.js'
const face = { ...portable, createFetchProtection }
`
const COMMAND = `${IMPORTS}console.log(JSON.stringify(await judgeCorpus(face, corpus)))\n`
const WORKER = `${IMPORTS}export default { fetch: async () => Response.json(await judgeCorpus(face, corpus)) }\n`

let built: PortableBuild
let expected: Judgement

beforeAll(async () => {
  built = await buildPortable()
  const corpus = makeCorpus([...EVERYWHERE, ...SOMEWHERE])
  expected = JSON.parse(JSON.stringify(await judgeCorpus({ ...portable, createFetchProtection }, corpus)))
  const program = readFileSync(join(import.meta.dirname, 'judge-corpus.ts'), 'utf8')
  const files = {
    'package.json': '{ "type": "module" }',
    'judge-corpus.js': stripTypeScriptTypes(program),
    'corpus.js': `export const corpus = ${JSON.stringify(corpus)}\n`,
    'command.js': COMMAND,
    'worker.js': WORKER,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(built.folder, name), text)
})

afterAll(() => rmSync(built.folder, { recursive: true }))

describe('the portable build gives the verdicts of Node', () => {
  test.skipIf(!isInstalled('workerd'))('in workerd', async () => {
    const judgement = await judgeInWorkerd()
    expectSame(judgement)
  })

  test.skipIf(!isInstalled('deno'))('in Deno', () => {
    expectSame(judgeBy('deno', ['run', '--no-remote', '--no-config']))
  })

  test.skipIf(!isInstalled('bun'))('in Bun', () => {
    expectSame(judgeBy('bun', ['run']))
  })

  test.skipIf(!isInstalled('node'))('in Node 20', () => {
    expect(run('node', ['--version'])).toMatch(/^v20\./)
    expectSame(judgeBy('node', []))
  })
})

/** The same verdicts; but a key of an algorithm that the runtime lacks may be unknown, with all its tokens. */
function expectSame(judgement: Judgement): void {
  expect(Object.keys(judgement)).toEqual(Object.keys(expected))
  const lacking = SOMEWHERE.filter((algorithm) => judgement[`${algorithm}: good`]?.[2] === 401)
  for (const [name, verdicts] of Object.entries(judgement)) {
    const isLacking = lacking.some((algorithm) => name.startsWith(`${algorithm}:`))
    if (isLacking && expected[name]?.[2] === 200) expect(verdicts, name).toMatchObject(UNKNOWN)
    else if (isLacking) expect(verdicts[2], name).not.toBe(200)
    else expect(verdicts, name).toEqual(expected[name])
  }
}

const UNKNOWN = [{ ok: false, code: 'unknown' }, { ok: false, code: 'unknown' }, 401]

function isInstalled(command: string): boolean {
  if (existsSync(join(RUNTIMES, '.bin', command))) return true
  console.log(`${command} is not installed: run \`npm ci --prefix .ci/runtimes\`.`)
  return false
}

function judgeBy(command: string, args: readonly string[]): Judgement {
  return JSON.parse(run(command, [...args, join(built.folder, 'command.js')]))
}

function run(command: string, args: readonly string[]): string {
  const home = join(built.folder, 'home')
  mkdirSync(home, { recursive: true })
  const { status, stdout, stderr } = spawnSync(join(RUNTIMES, '.bin', command), args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: { PATH: join(RUNTIMES, '.bin'), HOME: home, NO_COLOR: '1' },
  })
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`)
  return stdout
}

/** What of miniflare, which is not installed everywhere, is used here. */
interface Miniflare {
  dispatchFetch(url: string): Promise<Response>
  dispose(): Promise<void>
}

async function judgeInWorkerd(): Promise<Judgement> {
  const miniflare: { Miniflare: new (options: unknown) => Miniflare } = createRequire(
    join(RUNTIMES, 'required-from.js'),
  )('miniflare')
  const worker = new miniflare.Miniflare({
    modulesRoot: built.folder,
    modules: ['worker.js', 'portable.js', 'fetch.js', 'corpus.js', 'judge-corpus.js'].map((name) => ({
      type: 'ESModule',
      path: join(built.folder, name),
    })),
    compatibilityDate: '2026-01-01',
  })
  try {
    const response = await worker.dispatchFetch('http://127.0.0.1/')
    expect(response.status).toBe(200)
    return (await response.json()) as Judgement
  } finally {
    await worker.dispose()
  }
}
