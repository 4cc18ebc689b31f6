import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { lockFolder } from './folder-lock.ts'

/** Another process that takes the folder and keeps it until it is killed. */
async function holdInChild(folder: string): Promise<ChildProcess> {
  const module = new URL('./folder-lock.ts', import.meta.url).href
  const program = `
    const { lockFolder } = await import(${JSON.stringify(module)})
    globalThis.lock = lockFolder(${JSON.stringify(folder)})
    process.stdout.write('locked')
    setInterval(() => {}, 60_000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  return child
}

test('a second opener in another process is refused, and told who holds the folder', async () => {
  const folder = temporaryFolder()
  const child = await holdInChild(folder)
  expect(() => lockFolder(folder)).toThrow(`is in use by process ${child.pid}.`)
})

test('a second opener in the same process is refused', () => {
  const folder = temporaryFolder()
  const lock = lockFolder(folder)
  expect(() => lockFolder(folder)).toThrow(`is in use by process ${process.pid}.`)
  lock.release()
  lockFolder(folder).release()
})

test('a holder killed without warning leaves the folder free, with nothing to clean up', async () => {
  const folder = temporaryFolder()
  const child = await holdInChild(folder)
  child.kill('SIGKILL')
  await once(child, 'exit')
  lockFolder(folder).release()
})

test('the folder is made, and no other account can read or hold its lock', () => {
  const folder = join(temporaryFolder(), 'new')
  const lock = lockFolder(folder)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(statSync(join(folder, 'lock')).mode & 0o777).toBe(0o600)
  lock.release()
})
