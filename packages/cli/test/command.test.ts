import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeFolder, type Place, runIn, startServer } from './command-line.ts'

let place: Place

beforeAll(async () => {
  place = await startServer()
})
afterAll(() => place.remove())

describe('what is printed', () => {
  test('a new key is shown with its line for an .env file, and without colours where there is no terminal', async () => {
    const { exitCode, stdout, stderr } = await place.run(['keys', 'create', 'Acme production'], {
      environment: { CI: 'true' },
    })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toMatch(/^ACME_PRODUCTION_KEY=ck_[0-9A-Za-z]{44}$/m)
    expect(stdout).toContain('shown this once')
    expect(stdout).not.toContain('\u001b')
  })

  test('a name cannot move the cursor or add a line', async () => {
    const { id } = await place.json(['keys', 'create', 'a\u001b[2Jb\nid  forged'])
    const { stdout } = await place.run(['keys', 'read', id])
    expect(stdout).toContain('a\\u{1b}[2Jb\\u{a}id  forged')
    expect(stdout).not.toContain('\u001b')
  })

  test('--json prints what the API answers, and nothing for an answer without a body', async () => {
    const { id, credential, ...created } = await place.json(['keys', 'create', 'json', '--subject', 'team'])
    expect(await place.json(['keys', 'read', id])).toEqual({ id, ...created })
    expect(await place.json(['keys', 'list', '--subject', 'team'])).toEqual({
      items: [{ id, ...created }],
      nextCursor: null,
    })
    const changed = await place.json(['keys', 'change', id, '--scopes', 'a:b', '--disabled'])
    expect(changed).toMatchObject({ scopes: ['a:b'], status: 'disabled' })
    const cleared = await place.json(['keys', 'change', id, '--clear', 'scopes', '--no-disabled'])
    expect(cleared).toMatchObject({ scopes: null, status: 'active' })
    expect(await place.run(['keys', 'delete', id, '--json'])).toEqual({ exitCode: 0, stdout: '', stderr: '' })
    expect((await place.run(['verify', '-'], { input: credential })).stdout).toMatch(/^revoked: /)
  })

  test('every command explains itself with an example', async () => {
    const commands = [
      'start',
      'verify',
      'revoke',
      'tokens mint',
      'sessions create',
      'sessions refresh',
      'sessions list',
      'sessions show',
      'sessions revoke',
      'tokens derive',
      'audiences put',
      'root-key reset',
      'keys create',
      'roles put',
    ]
    for (const command of commands) {
      const { exitCode, stdout } = await place.run([...command.split(' '), '--help'])
      expect(exitCode).toBe(0)
      expect(stdout).toContain(`$ claviger ${command}`)
    }
  })
})

describe('what goes wrong', () => {
  test('what the API refuses is one line with its code, and exit code 1', async () => {
    expect(await place.run(['keys', 'read', 'key_none'])).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: There is no such key here. (not_found)\n',
    })
  })

  test('a wrong management key is refused, and not repeated', async () => {
    const environment = { CLAVIGER_KEY: 'clv_root_wrong' }
    const { exitCode, stderr } = await place.run(['keys', 'list'], { environment })
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^error: .*\(unauthenticated\)\n$/)
    expect(stderr).not.toContain('clv_root_wrong')
  })

  test.each([
    ['an unknown command', ['key']],
    ['an unknown flag of the server', ['start', '--prot', '1']],
    ['a setting that is not valid', ['start', '--port', 'many']],
    ['plain HTTP beyond this machine', ['start', '--host', '0.0.0.0']],
    ['a command that lacks an argument', ['keys', 'read']],
    ['a token without an audience', ['tokens', 'mint', 'alice']],
    ['a token without a parent', ['tokens', 'derive']],
    ['no credential', ['verify']],
    ['an empty credential', ['verify', '-']],
    ['a session without an audience', ['sessions', 'create', 'alice']],
    ['no refresh token', ['sessions', 'refresh']],
    ['no session to end', ['sessions', 'revoke']],
    ['two things to end', ['sessions', 'revoke', 'ses_1', '--subject', 'alice']],
    ['nothing to revoke', ['revoke']],
    ['two things to revoke', ['revoke', '--subject', 'alice', '--everything']],
    ['an address that is none', ['keys', 'list', '--url', 'nowhere']],
  ])('%s is a mistake of usage: exit code 2', async (_what, args) => {
    const { exitCode, stdout, stderr } = await place.run(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^error: /)
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  test('a server that is not there is exit code 3', async () => {
    const { exitCode, stderr } = await place.run(['keys', 'list', '--url', 'http://127.0.0.1:1'])
    expect(exitCode).toBe(3)
    expect(stderr).toMatch(/^error: The server cannot be reached.*\(unreachable\)\n$/)
  })

  test("this machine's root key is sent to no other machine unless its folder is named", async () => {
    const { exitCode, stderr } = await place.run(['keys', 'list', '--url', 'https://claviger.invalid'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('Set CLAVIGER_KEY')
  })
})

test('the credential may come in the environment', async () => {
  const { credential } = await place.json(['keys', 'create', 'environment'])
  const environment = { CLAVIGER_CREDENTIAL: credential }
  expect(await place.json(['verify'], { environment })).toMatchObject({ ok: true, kind: 'key' })
})

test('a second server on the same folder is refused with the process that has it', async () => {
  for (const args of [
    ['start', '--port', '0'],
    ['root-key', 'reset'],
  ]) {
    const { exitCode, stdout, stderr } = await place.run(args)
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain(`in use by process ${place.server.pid}.`)
  }
})

test('a master key in the environment goes before the file, and is not repeated when it is not valid', async () => {
  const environment = { CLAVIGER_MASTER_KEY: 'not-43-characters' }
  const { exitCode, stderr } = await place.run(['start', '--data', 'sealed', '--port', '0'], { environment })
  expect(exitCode).toBe(2)
  expect(stderr).toContain('CLAVIGER_MASTER_KEY must be')
  expect(stderr).not.toContain('not-43-characters')
})

test('a port that is taken is said in one line', async () => {
  const port = new URL(place.url).port
  const { exitCode, stderr } = await place.run(['start', '--data', 'other', '--port', port])
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: `error: 127.0.0.1, port ${port}, is taken by another program. Choose one with --port.\n`,
  })
})

test('a root key is not reset where there is no installation, and none is made', async () => {
  const folder = makeFolder()
  const { exitCode, stderr } = await runIn(folder, ['root-key', 'reset'])
  rmSync(folder, { recursive: true })
  expect(exitCode).toBe(1)
  expect(stderr).toContain('There is no installation in')
})

test('SIGTERM ends a server well; its root key can then be reset, and the former one opens nothing', async () => {
  const first = await startServer()
  const file = join(first.folder, 'claviger-data', 'root-key')
  const before = readFileSync(file, 'utf8').trim()
  first.server.kill('SIGTERM')
  const { exitCode, stdout, stderr } = await first.ended
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `Claviger listens on ${first.url}\n` })
  // Where there is no terminal, the text of the root key is in its file alone.
  expect(stdout).not.toContain('clv_root_')

  const reset = await runIn(first.folder, ['root-key', 'reset', '--json'])
  const { rootKey } = JSON.parse(reset.stdout)
  expect(readFileSync(file, 'utf8').trim()).toBe(rootKey)

  const second = await startServer(first.folder)
  expect((await second.run(['keys', 'list'])).exitCode).toBe(0)
  expect((await second.run(['keys', 'list'], { environment: { CLAVIGER_KEY: before } })).exitCode).toBe(1)
  await second.remove()
})
