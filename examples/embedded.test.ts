import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

test('the embedded example says what the README says that it says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'claviger-example-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const example = join(import.meta.dirname, 'embedded.ts')

  const { stdout, stderr } = await promisify(execFile)(process.execPath, [example, folder])

  expect(stdout.trim().split('\n')).toEqual([
    'key: ok, documents:read',
    'key that asks for more: insufficient_permissions',
    'former text of the key: ok, documents:read',
    'new text of the key: ok, documents:read',
    'revoked key: revoked',
    'token: ok, documents:read',
    'token of a revoked subject: revoked',
    'token minted afterwards: ok, documents:read',
  ])
  expect(stderr).toBe('')
})
