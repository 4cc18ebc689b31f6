import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ChildServer, startServer } from './child-server.ts'

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

async function createKey(): Promise<{ id: string; credential: string }> {
  const { status, body } = await server.call('POST', '/v1/keys', { name: 'raced' })
  expect(status).toBe(201)
  return body
}

async function rotateTwice(id: string, overlapSeconds: number): Promise<string[]> {
  const rotate = () => server.call('POST', `/v1/keys/${id}/rotate`, { overlapSeconds })
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
