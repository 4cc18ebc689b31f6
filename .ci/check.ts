/** `npm run check`: formatter and linter, types, unused code, and that generated files are current. */
import { spawnSync } from 'node:child_process'

const CHECKS: readonly (readonly [string, ...string[]])[] = [
  ['biome', 'check', '--error-on-warnings', '.'],
  ['tsc', '-p', 'tsconfig.json'],
  ['knip', '--no-progress'],
]

for (const [command, ...args] of CHECKS) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) continue
  console.error(`${command} ${args.join(' ')}\n${stdout}${stderr}`)
  process.exit(1)
}
