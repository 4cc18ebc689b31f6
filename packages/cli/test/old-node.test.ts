import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { MAIN } from './command-line.ts'

test('a Node that is too old is told which one is needed and how to get it, in one line', () => {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.18.1' } })`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, MAIN, 'start'],
    { encoding: 'utf8' },
  )
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr).toMatch(/^error: Claviger needs Node 24 or later, and this is 20\.18\.1: install it .*\n$/)
})
