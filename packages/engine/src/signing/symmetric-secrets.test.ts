import { type Change, NO_COUNTERS, type Sink, type Snapshot, type Source, Verifier } from '@claviger/verify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing } from '../../test/issuing.ts'
import { DatabaseSource } from '../changes/database-source.ts'
import { readSnapshot } from '../changes/snapshot.ts'
import { mintToken } from '../tokens/mint-token.ts'
import { readJwks } from './jwks.ts'
import { listSigningKeys } from './list-signing-keys.ts'
import { signingKeyPlace } from './make-signing-key.ts'

const INPUT = { subject: 'user_1', audience: AUDIENCE, algorithm: 'HS256' }

let installation: TestInstallation
let issuing: Issuing
/** The verifier was open before the key was made. */
let credential: string

beforeAll(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
  credential = (await mintToken(issuing.scope, INPUT)).credential
})
afterAll(() => installation.close())

async function secretOf(): Promise<Buffer> {
  const row = await installation.reader
    .selectFrom('signing_keys')
    .select(['id', 'private_sealed'])
    .where('algorithm', '=', 'HS256')
    .executeTakeFirstOrThrow()
  return Buffer.from(installation.sealer.open(signingKeyPlace('default', row.id), row.private_sealed))
}

/** A source that has read what leaves the process, and so holds no secret. */
function sourceOf(snapshot: Snapshot): Source {
  return {
    limits: NO_COUNTERS,
    open: async (sink: Sink) => sink.reset(snapshot),
    fetchKey: async () => ({ position: snapshot.position, key: null }),
    freshAtMs: () => installation.clock.nowMs(),
    refresh: async () => true,
    nowMs: () => installation.clock.nowMs(),
    close: () => undefined,
  }
}

describe('the secret of a symmetric signing key', () => {
  test('is known to a verifier of this process as soon as the key signs (F1)', async () => {
    expect(await issuing.verifier.verify({ credential })).toMatchObject({ ok: true, subject: 'user_1' })
    const again = await mintToken(issuing.scope, INPUT)
    expect(issuing.verifier.verifyCached({ credential })).toMatchObject({ ok: true })
    expect(await issuing.verifier.verify({ credential: again.credential })).toMatchObject({ ok: true })
  })

  test('is known to a verifier that is opened later', async () => {
    const source = new DatabaseSource(installation, 'default')
    const verifier = await Verifier.open({ source, audience: AUDIENCE })
    expect(await verifier.verify({ credential })).toMatchObject({ ok: true })
    verifier.close()
  })

  test('leaves the process in no fact: who has read those does not know the key', async () => {
    const stored = installation.changes.map(({ change }): Change => JSON.parse(JSON.stringify(change)))
    const told = stored.flatMap(({ facts }) =>
      facts.filter((fact) => fact.type === 'signing-key' && fact.algorithm === 'HS256'),
    )
    expect(told).toHaveLength(1)
    expect(told[0]).toEqual({
      type: 'signing-key',
      id: expect.any(String),
      algorithm: 'HS256',
      status: 'active',
      publicJwk: { kty: 'oct' },
    })
    const snapshot = await readSnapshot(installation.reader, {
      projectId: 'default',
      nowMs: installation.clock.nowMs(),
    })
    expect(snapshot.facts).toContainEqual(told[0])
    const verifier = await Verifier.open({ source: sourceOf(snapshot), audience: AUDIENCE })
    expect(await verifier.verify({ credential })).toMatchObject({ ok: false, code: 'unknown' })
    const other = await mintToken(issuing.scope, { ...INPUT, algorithm: 'RS256' })
    expect(await verifier.verify({ credential: other.credential })).toMatchObject({ ok: true })
  })

  test('is in no change, no JWKS, no list and no token, in any spelling', async () => {
    const changes = await installation.reader.selectFrom('changes').selectAll().execute()
    const shown = JSON.stringify([
      changes.map((row) => ({ ...row })),
      await readJwks(installation.reader, 'default'),
      await listSigningKeys(issuing.scope),
      credential,
    ])
    const secret = await secretOf()
    expect(secret).toHaveLength(32)
    for (const encoding of ['base64url', 'base64', 'hex', 'latin1'] as const) {
      expect(shown).not.toContain(secret.toString(encoding))
    }
  })

  test('stops to count when the key is retired', async () => {
    const [retired] = installation.changes.flatMap(({ change }) =>
      change.facts.filter((fact) => fact.type === 'signing-key' && fact.algorithm === 'HS256'),
    )
    const source = new DatabaseSource(installation, 'default')
    let given: Sink | undefined
    const verifier = await Verifier.open({
      audience: AUDIENCE,
      source: {
        limits: source.limits,
        open: (sink) => {
          given = sink
          return source.open(sink)
        },
        fetchKey: (digest) => source.fetchKey(digest),
        freshAtMs: () => source.freshAtMs(),
        refresh: () => source.refresh(),
        nowMs: () => source.nowMs(),
        close: (sink) => source.close(sink),
      },
    })
    expect(await verifier.verify({ credential })).toMatchObject({ ok: true })
    const { epoch, number } = verifier.applied ?? { epoch: '', number: Number.NaN }
    if (retired?.type !== 'signing-key') throw new Error('no key was told of')
    given?.apply({
      position: { epoch, number: number + 1 },
      atMs: 0,
      commandId: 'cmd_1',
      facts: [{ ...retired, status: 'retired' }],
    })
    expect(await verifier.verify({ credential })).toMatchObject({ ok: false, code: 'unknown' })
  })
})
