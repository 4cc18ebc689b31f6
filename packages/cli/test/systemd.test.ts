import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CONFIGURATION_NAMES, environmentName } from '@claviger/server'
import { expect, test } from 'vitest'

const UNIT = readFileSync(join(import.meta.dirname, '../../../packaging/systemd/claviger.service'), 'utf8')
const COMMAND = '/usr/local/bin/claviger'
/** Of 100: 96 is a service with nothing around it. */
const MOST_EXPOSURE = '25'

test('the unit sets nothing that the server does not read', () => {
  const known = CONFIGURATION_NAMES.map(environmentName)
  const set = [...UNIT.matchAll(/^Environment=(\w+)=/gm)].map(([, name]) => name)
  expect(set.length).toBeGreaterThan(0)
  for (const name of set) expect(known).toContain(name)
})

test('the unit keeps V8 able to compile, and gives the service nothing to rise by', () => {
  expect(UNIT).toContain(`ExecStart=${COMMAND} start\n`)
  expect(UNIT).not.toMatch(/^MemoryDenyWriteExecute=/m)
  for (const line of [
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
    'ProtectSystem=strict',
    'LimitCORE=0',
  ]) {
    expect(UNIT).toMatch(new RegExp(`^${line}$`, 'm'))
  }
})

test('systemd takes the unit, and finds little that the service is exposed by', () => {
  if (spawnSync('systemd-analyze', ['--version']).status !== 0) {
    console.log('skipped: systemd-analyze is not installed here')
    return
  }
  const folder = mkdtempSync(join(tmpdir(), 'claviger-unit-'))
  const file = join(folder, 'claviger.service')
  // The command is installed for the whole machine where the unit is, and not where it is tested.
  writeFileSync(file, UNIT.replace(COMMAND, process.execPath))
  const verified = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
  const security = spawnSync(
    'systemd-analyze',
    ['security', '--offline=yes', `--threshold=${MOST_EXPOSURE}`, '--no-pager', file],
    { encoding: 'utf8' },
  )
  rmSync(folder, { recursive: true })
  expect({ status: verified.status, stderr: verified.stderr }).toEqual({ status: 0, stderr: '' })
  expect(security.status, security.stdout).toBe(0)
})
