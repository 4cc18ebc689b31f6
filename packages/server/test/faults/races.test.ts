import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ChildServer, type SourceChange, startServer } from './child-server.ts'

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 200)

const folder = mkdtempSync(join(tmpdir(), 'claviger-races-'))
let server: ChildServer

beforeAll(async () => {
  server = await startServer(folder)
})

afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

async function createKey(on = server): Promise<{ id: string; credential: string }> {
  const { status, body } = await on.call('POST', '/v1/keys', { name: 'raced' })
  expect(status).toBe(201)
  return body
}

async function rotateTwice(id: string, overlapSeconds: number, on = server): Promise<string[]> {
  const rotate = () => on.call('POST', `/v1/keys/${id}/rotate`, { overlapSeconds })
  const answers = await Promise.all([rotate(), rotate()])
  expect(answers.map(({ status }) => status)).toEqual([200, 200])
  return answers.map(({ body }) => body.credential)
}

test('of two rotations at once without an overlap one text works, and every other is rotated out (rules C2, V6)', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const { id, credential } = await createKey()
    const texts = [...(await rotateTwice(id, 0)), credential]
    const verdicts = await Promise.all(texts.map((text) => server.verdict(text)))
    expect(verdicts.toSorted(), `round ${round}`).toEqual(['ok', 'rotated_out', 'rotated_out'])
    expect(verdicts[2]).toBe('rotated_out')
  }
})

/** Reads the secrets that a rotation ends before its command begins, on the thread that answers requests. */
const LOAD_OUTSIDE: readonly SourceChange[] = [
  {
    file: 'engine/src/keys/rotate-key.ts',
    from: '  const args = { projectId: scope.projectId, id, secret, overlapSeconds }',
    to: `  const { loadSecrets } = await import('./key.ts')
  const seen = await loadSecrets(scope.reader, [id])
  const args = { projectId: scope.projectId, id, secret, overlapSeconds, seen }`,
  },
  {
    file: 'engine/src/keys/rotate-secrets.ts',
    from: '  { secret, overlapSeconds }: SecretRotation,',
    to: '  { secret, overlapSeconds, seen }: SecretRotation,',
  },
  {
    file: 'engine/src/keys/rotate-secrets.ts',
    from: 'await loadSecrets(context.db, [key.id])',
    to: 'seen',
  },
]

test('a build that reads what a rotation ends outside of its transaction is found out (rules C2, V6)', async () => {
  const wrongFolder = mkdtempSync(join(tmpdir(), 'claviger-races-'))
  const wrong = await startServer(wrongFolder, { changes: LOAD_OUTSIDE })
  try {
    let working = 0
    for (let round = 0; round < ROUNDS && working < 2; round++) {
      const { id } = await createKey(wrong)
      const texts = await rotateTwice(id, 0, wrong)
      const verdicts = await Promise.all(texts.map((text) => wrong.verdict(text)))
      working = verdicts.filter((verdict) => verdict === 'ok').length
    }
    expect(working).toBe(2)
  } finally {
    await wrong.stop()
    rmSync(wrongFolder, { recursive: true })
  }
})

test('of two rotations at once with an overlap both new texts work, and the former one too (rules C2, V6)', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const { id, credential } = await createKey()
    const texts = [...(await rotateTwice(id, 3600)), credential]
    const verdicts = await Promise.all(texts.map((text) => server.verdict(text)))
    expect(verdicts, `round ${round}`).toEqual(['ok', 'ok', 'ok'])
  }
})

test('a key that is verified while it is revoked is never ok once the revocation is answered (rules F1, F2, V1)', async () => {
  let racing = 0
  for (let round = 0; round < ROUNDS; round++) {
    const { id, credential } = await createKey()
    let answered = false
    const verifyOn = async (): Promise<void> => {
      // One that is sent after the answer ends it. The first finds the cache empty, and so races as a fill.
      for (let attempt = 0, late = false; !late && attempt < 1000; attempt++) {
        late = answered
        const verdict = await server.verdict(credential)
        if (late) expect(verdict, `round ${round}`).toBe('revoked')
        else racing += 1
      }
    }
    const revoke = async (): Promise<void> => {
      // Different from round to round: before the fills, among them, after them.
      for (let wait = 0; wait < round % 4; wait++) await server.verdict('no-such-key')
      const { status } = await server.call('POST', `/v1/keys/${id}/revoke`, {})
      answered = true
      expect(status).toBe(200)
    }
    await Promise.all([verifyOn(), verifyOn(), verifyOn(), revoke(), verifyOn()])
    expect(await server.verdict(credential)).toBe('revoked')
  }
  console.log(`${racing} verifications raced ${ROUNDS} revocations`)
  expect(racing).toBeGreaterThan(ROUNDS)
})
