import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { apiKey } from '@better-auth/api-key'
import { createEngine } from '@claviger/engine'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { FreshTexts } from './fresh-texts.ts'
import { requestFor } from './project.ts'
import { promised, type Row } from './row.ts'

const KEYS = 500
const CREATED = 100
const PEER = 'better-auth'
const OURS = 'Claviger'
const PERMISSIONS = ['documents:read', 'billing:*']

interface Side {
  create(): Promise<string>
  verify(credential: string): Promise<boolean>
  close(): Promise<void>
}

/** API keys of better-auth against ours: each with a database of its own in a file, in this process. */
export async function betterAuthVerify(): Promise<Row> {
  const [peer, ours] = [await openPeer(), await openOurs()]
  const [peersKeys, ourKeys] = [await createKeys(peer), await createKeys(ours)]
  return {
    title: 'Key, in process, with its database: better-auth',
    measures:
      `${KEYS} keys with two permissions each. Ours: \`verify\` of an embedded engine, with the permission query and usage. The peer: ` +
      '`auth.api.verifyApiKey` with its rate limit off, since with it ten calls a day pass; it reads the row and updates it on ' +
      'each call. Both databases are `node:sqlite` in files, with a write-ahead log.',
    rounds: {
      contenders: [
        promised(
          PEER,
          () => peersKeys.make(),
          (credential) => peer.verify(credential),
        ),
        promised(
          OURS,
          () => ourKeys.make(),
          (credential) => ours.verify(credential),
        ),
      ],
      warmUp: 2,
      counted: 9,
      passSize: KEYS,
    },
    reference: PEER,
    aims: [{ contender: OURS, against: PEER, atLeast: 1 }],
    close: () => closeBoth(peer, ours),
  }
}

export async function betterAuthCreate(): Promise<Row> {
  const [peer, ours] = [await openPeer(), await openOurs()]
  const blanks = (): string[] => Array.from({ length: CREATED }, () => '')
  return {
    title: 'Key, created: better-auth',
    measures:
      `${CREATED} keys, one after another: each is in its database, and synced to the disk, before the next begins. Ours writes ` +
      'the key, its secret, an audit entry and a change of the feed; the peer the key.',
    rounds: {
      contenders: [
        promised(PEER, blanks, async () => (await peer.create()).length > 0),
        promised(OURS, blanks, async () => (await ours.create()).length > 0),
      ],
      warmUp: 2,
      counted: 9,
      passSize: CREATED,
    },
    reference: PEER,
    aims: [],
    close: () => closeBoth(peer, ours),
  }
}

async function createKeys(side: Side): Promise<FreshTexts> {
  const texts: string[] = []
  for (let count = 0; count < KEYS; count++) texts.push(await side.create())
  return new FreshTexts(texts)
}

async function closeBoth(...sides: readonly Side[]): Promise<void> {
  for (const side of sides) await side.close()
}

async function openOurs(): Promise<Side> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'))
  const engine = await createEngine({ database: `sqlite:${join(folder, 'claviger.db')}` })
  const project = engine.project('default')
  return {
    create: async () => (await project.keys.create({ name: 'bench', permissions: PERMISSIONS })).credential,
    verify: async (credential) => (await project.verify(requestFor(credential))).ok,
    async close() {
      await engine.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function openPeer(): Promise<Side> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'))
  const database = new DatabaseSync(join(folder, 'better-auth.db'))
  // As durable as ours.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  const auth = betterAuth({
    database,
    baseURL: 'http://127.0.0.1',
    secret: 'a secret of this benchmark, which protects nothing',
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    logger: { disabled: true },
    plugins: [apiKey({ rateLimit: { enabled: false } })],
  })
  await (await getMigrations(auth.options)).runMigrations()
  const { user } = await auth.api.signUpEmail({
    body: { name: 'bench', email: 'bench@example.com', password: 'a password of this benchmark' },
  })
  const permissions = { documents: ['read'], billing: ['read'] }
  return {
    create: async () =>
      (await auth.api.createApiKey({ body: { userId: user.id, name: 'bench', permissions } })).key,
    verify: async (key) => (await auth.api.verifyApiKey({ body: { key, permissions } })).valid,
    async close() {
      database.close()
      rmSync(folder, { recursive: true })
    },
  }
}
