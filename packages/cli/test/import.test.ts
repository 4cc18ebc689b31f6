/** `claviger import`, as its users run it: against a real server, interrupted, and on what other libraries store. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { MAIN, makeFolder, type Place, runIn, startServer } from './command-line.ts'

/** A million takes some minutes: CLAVIGER_TEST_IMPORT_KEYS=1000000. */
const KEYS = Number(process.env.CLAVIGER_TEST_IMPORT_KEYS ?? 20_000)
const GUIDE = readFileSync(join(import.meta.dirname, '../../../docs/guides/migrate-keys.md'), 'utf8')

let place: Place

beforeAll(async () => {
  place = await startServer()
  await place.json(['roles', 'put', 'reader', 'documents:read'])
  await registerHex(place)
})
afterAll(() => place.remove())

async function registerHex({ json }: Place): Promise<void> {
  const shape = ['--prefix', 'old_', '--alphabet', '0-9a-f', '--length', '40', '--hash-encoding', 'hex']
  await json(['key-shapes', 'put', 'hex', ...shape])
}

function textOf(name: string): string {
  return `old_${createHash('sha1').update(name).digest('hex')}`
}

function hashOf(name: string): string {
  return createHash('sha256').update(textOf(name)).digest('hex')
}

function write(name: string, lines: readonly unknown[]): string {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n')
  writeFileSync(join(place.folder, name), text)
  return name
}

async function writeMany(folder: string, count: number): Promise<string> {
  const file = join(folder, 'many.ndjson')
  const out = createWriteStream(file)
  for (let at = 0; at < count; at++) {
    const line = { hash: hashOf(`many-${at}`), subject: `customer-${at % 1000}`, roles: ['reader'] }
    if (!out.write(`${JSON.stringify(line)}\n`)) await once(out, 'drain')
  }
  out.end()
  await once(out, 'close')
  return file
}

async function verdictOn(credential: string, at: Place = place): Promise<string> {
  const { stdout } = await at.run(['verify', '-'], { input: credential })
  return stdout.split(':')[0] ?? ''
}

describe('a file of keys', () => {
  test('is imported by hashes and by texts; what fails is in the report, by its line', async () => {
    const file = write('mixed.ndjson', [
      { hash: hashOf('a'), subject: 'mixed', roles: ['reader'] },
      '',
      { key: textOf('b'), subject: 'mixed' },
      'no JSON',
      '["no object"]',
      { subject: 'neither' },
      { hash: hashOf('c'), key: textOf('c') },
      { key: 'acme_of-another-shape' },
      { hash: hashOf('d'), roles: ['nobody'] },
      { hash: hashOf('e'), limitless: true },
    ])
    const ended = await place.run(['import', file, '--shape', 'hex', '--json'])
    const reportFile = `${file}.failed.ndjson`
    expect(JSON.parse(ended.stdout)).toEqual({
      lines: 9,
      imported: 2,
      exists: 0,
      failed: 7,
      dryRun: false,
      report: reportFile,
    })
    expect(ended.exitCode).toBe(1)
    const report = readFileSync(join(place.folder, reportFile), 'utf8')
    const failed = report
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(failed.map(({ line }) => line).sort((a, b) => a - b)).toEqual([4, 5, 6, 7, 8, 9, 10])
    expect(failed.find(({ line }) => line === 9)).toMatchObject({
      code: 'invalid_request',
      detail: expect.stringContaining('nobody'),
    })
    expect(statSync(join(place.folder, reportFile)).mode & 0o777).toBe(0o600)
    expect([await verdictOn(textOf('a')), await verdictOn(textOf('b'))]).toEqual(['ok', 'ok'])
    expect(await verdictOn(textOf('d'))).toBe('unknown')
    expect((await place.run(['keys', 'list', '--subject', 'mixed'])).stdout).toContain('Imported ')
  })

  test('spoils no line by another, whatever stands in it', async () => {
    const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    const line = (name: string, metadata: string) => `{"hash":"${hashOf(name)}","metadata":${metadata}}`
    const file = write('hostile.ndjson', [
      line('first', '{}'),
      line('proto', '{"__proto__":{"admin":true}}'),
      line('twice', '{"a":1,"a":2}'),
      ...[27, 28, 29, 30, 31, 32, 40, 5000].map((depth) => line(`nested-${depth}`, nested(depth))),
      line('surrogate', String.raw`{"a":"\ud800"}`),
      line('zero', String.raw`{"a":"\u0000"}`),
      line('infinite', '{"a":1e999}'),
      line('long numbers', `{"a":[${'1e20,'.repeat(12_000)}1]}`),
      ...Array.from({ length: 40 }, (_, at) => line(`long-${at}`, `{"a":"${'é'.repeat(30_000)}"}`)),
      `${line('one', '{}')},${line('two', '{}')}`,
      `${line('three', '{}')}]}`,
      line('last', '{}'),
    ])
    const ended = await place.run(['import', file, '--shape', 'hex', '--json'])
    expect(ended).toMatchObject({ exitCode: 1, stderr: '' })
    expect(JSON.parse(ended.stdout).lines).toBe(58)
    expect([await verdictOn(textOf('first')), await verdictOn(textOf('last'))]).toEqual(['ok', 'ok'])
    for (const name of ['proto', 'twice', 'nested-40', 'long numbers', 'long-0', 'one', 'three']) {
      expect(await verdictOn(textOf(name))).toBe('unknown')
    }
  })

  test('is read from standard input too, and tried dry without a trace', async () => {
    const input = JSON.stringify({ hash: hashOf('piped') })
    const dry = await place.run(['import', '-', '--shape', 'hex', '--dry-run'], { input })
    expect(dry).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^would be imported +1$/m) })
    expect(await verdictOn(textOf('piped'))).toBe('unknown')
    const done = await place.run(['import', '-', '--shape', 'hex'], { input })
    expect(done).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^imported +1$/m) })
    expect(await verdictOn(textOf('piped'))).toBe('ok')
    expect(existsSync(join(place.folder, 'import.failed.ndjson'))).toBe(false)
  })

  test('leaves no text of a key anywhere: output, report, log, database', async () => {
    const text = textOf('sentinel')
    const file = write('sentinel.ndjson', [
      { key: text },
      { hash: text },
      { key: text, roles: [text] },
      { key: text, ipAllow: [text] },
      { key: text, [text]: text },
      `{"key":"${text}"`,
      { key: `${text}0` },
    ])
    const ended = await place.run(['import', file, '--shape', 'hex'])
    expect(ended.stdout).toMatch(/^failed +6$/m)
    const outputs = [ended.stdout, ended.stderr]
    const data = join(place.folder, 'claviger-data')
    for (const file of readdirSync(data, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) outputs.push(readFileSync(join(file.parentPath, file.name), 'latin1'))
    }
    outputs.push(readFileSync(join(place.folder, `${file}.failed.ndjson`), 'utf8'))
    for (const output of outputs) expect(output).not.toContain(text.slice(4))
  })

  test('is refused where something else is wrong, and says what', async () => {
    const file = write('one.ndjson', [{ hash: hashOf('x') }])
    expect(await place.run(['import', file])).toMatchObject({ exitCode: 2 })
    const unknown = await place.run(['import', file, '--shape', 'nothing'])
    expect(unknown).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no such key shape') })
    expect(await place.run(['import', 'nowhere.ndjson', '--shape', 'hex'])).toMatchObject({ exitCode: 2 })
    const over = await place.run(['import', file, '--shape', 'hex', '--report', `./${file}`])
    expect(over).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('overwrite') })
    expect(readFileSync(join(place.folder, file), 'utf8')).toContain(hashOf('x'))
    const away = { environment: { CLAVIGER_URL: 'http://127.0.0.1:1' } }
    expect(await place.run(['import', file, '--shape', 'hex'], away)).toMatchObject({ exitCode: 3 })
  })
})

test('key shapes are registered, shown, listed and deleted', async () => {
  const put = ['key-shapes', 'put', 'weak', '--alphabet', '0-9', '--length', '38', '--hash-encoding', 'hex']
  const weak = await place.run(put)
  expect(weak).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('126.2 random bits') })
  expect(await place.json(put.with(6, '39'))).toMatchObject({ name: 'weak', length: 39 })
  expect((await place.run(['key-shapes', 'read', 'weak'])).stdout).toMatch(/^hash +SHA-256, hex$/m)
  expect((await place.run(['key-shapes', 'list'])).stdout).toMatch(/^hex +old_ +40 +hex +160 /m)
  expect((await place.run(['key-shapes', 'delete', 'weak'])).stdout).toBe('The key shape is gone.\n')
  expect(await place.run(['key-shapes', 'read', 'weak'])).toMatchObject({ exitCode: 1 })
})

describe(`an import of ${KEYS} keys`, () => {
  test('goes on after it was killed, and after its server was killed: each key once, none lost', async () => {
    const folder = makeFolder()
    const first = await startServer(folder)
    await first.json(['roles', 'put', 'reader', 'documents:read'])
    await registerHex(first)
    const file = await writeMany(folder, KEYS)
    const key = readFileSync(join(folder, 'claviger-data/root-key'), 'utf8').trim()
    const start = (url: string) =>
      spawn(process.execPath, [MAIN, 'import', file, '--shape', 'hex'], {
        env: { PATH: process.env.PATH, CLAVIGER_URL: url, CLAVIGER_KEY: key },
        stdio: 'ignore',
      })
    const isThere = (name: string) => async () => expect(await verdictOn(textOf(name), first)).toBe('ok')

    const killed = start(first.url)
    await vi.waitFor(isThere('many-0'), { timeout: 60_000 })
    killed.kill('SIGKILL')
    await once(killed, 'close')

    const cutOff = start(first.url)
    await vi.waitFor(isThere(`many-${Math.floor(KEYS / 4)}`), { timeout: 600_000, interval: 20 })
    first.server.kill('SIGKILL')
    const [code] = await once(cutOff, 'close')
    await first.ended

    const second = await startServer(folder)
    const { exitCode, stdout } = await runIn(folder, ['import', file, '--shape', 'hex', '--json'], {
      environment: { CLAVIGER_URL: second.url },
    })
    const totals = JSON.parse(stdout)
    expect(exitCode).toBe(0)
    expect(totals).toMatchObject({ lines: KEYS, failed: 0 })
    expect(totals.imported + totals.exists).toBe(KEYS)
    expect(totals.exists).toBeGreaterThanOrEqual(Math.floor(KEYS / 4))
    // Whether the server or the last line came first: one that was cut off says so.
    expect(code === 0 ? totals.imported : code).toBe(code === 0 ? 0 : 3)
    for (const at of [0, 1, KEYS / 2, KEYS - 1]) {
      expect(await verdictOn(textOf(`many-${Math.floor(at)}`), second)).toBe('ok')
    }
    second.server.kill('SIGTERM')
    await second.ended
    const database = new DatabaseSync(join(folder, 'claviger-data/claviger.db'))
    const counted = 'SELECT count(*) AS keys, count(DISTINCT digest) AS digests FROM key_secrets'
    // The root key's too.
    expect(database.prepare(counted).get()).toEqual({ keys: KEYS + 1, digests: KEYS + 1 })
    database.close()
    await second.remove()
  }, 1_800_000)
})

describe('the recipe of the guide', () => {
  /** The program that the guide has its reader write. */
  function scriptOf(name: string): string {
    const script = new RegExp(`^cat > ${name} <<'END'\\n([\\s\\S]*?)^END$`, 'm').exec(GUIDE)?.[1]
    if (script === undefined) throw new Error(`the guide has no ${name}`)
    return script
  }

  async function convert(script: string, ...args: string[]): Promise<string> {
    writeFileSync(join(place.folder, script), scriptOf(script))
    const child = spawn(process.execPath, [script, ...args], { cwd: place.folder })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    await once(child, 'close')
    return Buffer.concat(chunks).toString()
  }

  test('for better-auth imports what better-auth itself has stored', async () => {
    const { keys, rows } = await makeBetterAuthKeys()
    writeFileSync(join(place.folder, 'apikey.json'), JSON.stringify(rows))
    const shape = ['--alphabet', 'A-Za-z', '--length', '64', '--hash-encoding', 'base64url']
    await place.json(['key-shapes', 'put', 'better-auth', ...shape])
    await place.json(['key-shapes', 'put', 'better-auth-acme', '--prefix', 'acme_', ...shape])
    const plain = await place.json(['import', '-', '--shape', 'better-auth'], {
      input: await convert('better-auth.mjs'),
    })
    const prefixed = await place.json(['import', '-', '--shape', 'better-auth-acme'], {
      input: await convert('better-auth.mjs', 'acme_'),
    })
    expect([plain.imported, prefixed.imported]).toEqual([2, 1])
    expect(await place.json(['verify', '-'], { input: keys.rich })).toMatchObject({
      ok: true,
      subject: rows[0]?.referenceId,
      permissions: ['documents:read', 'documents:write'],
      metadata: { plan: 'pro' },
      expiresAt: rows[0]?.expiresAt,
    })
    expect(await place.json(['verify', '-'], { input: keys.bare })).toMatchObject({
      ok: true,
      permissions: [],
    })
    expect(await verdictOn(keys.disabled)).toBe('disabled')
  })

  test('for Unkey imports keys of 16 random bytes in base58, of the lengths that they have', async () => {
    const shape = ['--alphabet', '1-9A-HJ-NP-Za-km-z', '--length', '22', '--min-length', '16']
    await place.json([
      'key-shapes',
      'put',
      'unkey',
      '--prefix',
      'acme_',
      ...shape,
      '--hash-encoding',
      'base64',
    ])
    const bytes = [
      Buffer.alloc(16, 0xff),
      Buffer.alloc(16, 1),
      Buffer.concat([Buffer.alloc(2), Buffer.alloc(14, 7)]),
    ]
    const texts = bytes.map((random) => `acme_${base58(random)}`)
    const keys = texts.map((text, at) => {
      const value = createHash('sha256').update(text).digest('base64')
      return {
        hash: at === 0 ? value : { value, variant: 'sha256_base64' },
        externalId: `user_${at}`,
        permissions: ['documents.read'],
        ...(at === 1 ? { enabled: false, expires: 1_893_456_000_000 } : { name: 'k', meta: { plan: 'pro' } }),
      }
    })
    writeFileSync(join(place.folder, 'unkey.json'), JSON.stringify(keys))
    const answer = await place.json(['import', '-', '--shape', 'unkey'], {
      input: await convert('unkey.mjs'),
    })
    expect(answer).toMatchObject({ imported: 3, failed: 0 })
    expect(await place.json(['verify', '-'], { input: texts[0] ?? '' })).toMatchObject({
      subject: 'user_0',
      permissions: ['documents:read'],
      metadata: { plan: 'pro' },
    })
    expect(await verdictOn(texts[1] ?? '')).toBe('disabled')
    expect(await verdictOn(texts[2] ?? '')).toBe('ok')
  })
})

/** As Unkey writes a key: leading zero bytes become ones. */
function base58(bytes: Buffer): string {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let text = ''
  for (let rest = BigInt(`0x${bytes.toString('hex')}`); rest > 0n; rest /= 58n) {
    text = alphabet.charAt(Number(rest % 58n)) + text
  }
  return '1'.repeat(bytes.findIndex((byte) => byte !== 0)) + text
}

interface BetterAuthRow {
  readonly referenceId: string
  readonly expiresAt: string | null
}

/** Real keys of the real library, which is a peer of the benchmarks, and the rows that it keeps of them. */
async function makeBetterAuthKeys(): Promise<{
  readonly keys: { readonly rich: string; readonly bare: string; readonly disabled: string }
  readonly rows: readonly BetterAuthRow[]
}> {
  const { resolve } = createRequire(join(import.meta.dirname, '../../../bench/package.json'))
  const { betterAuth } = await import(resolve('better-auth'))
  const { getMigrations } = await import(resolve('better-auth/db/migration'))
  const { apiKey } = await import(resolve('@better-auth/api-key'))
  const database = new DatabaseSync(':memory:')
  const options = {
    database,
    secret: 'a secret that protects nothing but this test',
    baseURL: 'http://localhost',
    emailAndPassword: { enabled: true },
    plugins: [apiKey({ enableMetadata: true })],
    logger: { disabled: true },
    telemetry: { enabled: false },
  }
  await (await getMigrations(options)).runMigrations()
  const { api } = betterAuth(options)
  const person = { email: 'a@example.org', password: 'correct horse', name: 'A' }
  const { user } = await api.signUpEmail({ body: person })
  const create = async (body: Record<string, unknown>): Promise<{ id: string; key: string }> =>
    api.createApiKey({ body: { userId: user.id, ...body } })
  const rich = await create({
    name: 'Acme',
    prefix: 'acme_',
    permissions: { documents: ['read', 'write'] },
    metadata: { plan: 'pro' },
    expiresIn: 30 * 86_400,
  })
  const bare = await create({})
  const disabled = await create({})
  await api.updateApiKey({ body: { keyId: disabled.id, userId: user.id, enabled: false } })
  const rows = database.prepare('SELECT * FROM apikey ORDER BY prefix IS NULL').all()
  database.close()
  return {
    keys: { rich: rich.key, bare: bare.key, disabled: disabled.key },
    rows: rows as unknown as BetterAuthRow[],
  }
}
