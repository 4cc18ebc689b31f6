/**
 * `npm test`: runs every test and closes with one line, `N passed, N failed`. Arguments are handed to vitest.
 * Where CI is set, a skipped test is a failure: there every system tool is installed.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numFailedTestSuites: number
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

const folder = mkdtempSync(join(tmpdir(), 'claviger-tests-'))
const reportFile = join(folder, 'report.json')
const run = spawnSync(
  'vitest',
  [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
    ...process.argv.slice(2),
  ],
  // Hundreds of programs are started: each is compiled once.
  { stdio: 'inherit', env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') } },
)
const report: Report = JSON.parse(readFileSync(reportFile, 'utf8'))
rmSync(folder, { recursive: true, force: true, maxRetries: 3 })

const skipped = report.testResults
  .flatMap((file) => file.assertionResults)
  .filter(({ status }) => status !== 'passed' && status !== 'failed')
for (const { fullName } of skipped) console.log(`skipped: ${fullName}`)
const refused = process.env.CI === undefined ? 0 : skipped.length
const unloaded = report.numFailedTests === 0 ? report.numFailedTestSuites : 0
const failed = report.numFailedTests + unloaded + refused
console.log(`${report.numPassedTests} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : (run.status ?? 1)
