import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { manualClock } from '@claviger/engine'
import { expect, test } from 'vitest'
import { createServer } from '../../src/index.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const START_MS = Date.parse('2027-01-01T00:00:00Z')

interface Said {
  readonly id: string
  readonly credential: string
  readonly ok?: boolean
  readonly code?: string
}

test('a clock that jumps a day forward and back while it serves brings nothing revoked back, and valid keys pass again (rule B2)', async () => {
  const data = mkdtempSync(join(tmpdir(), 'claviger-clock-'))
  const clock = manualClock(START_MS)
  const options = { port: 0, data, clock, logTo: { write: () => {} } }
  const server = await createServer(options)
  let url = await server.listen()
  const rootKey = server.createdRootKey?.reveal() ?? ''
  const call = async (path: string, body: unknown) => {
    const headers = { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json' }
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    expect(answer.status).toBeLessThan(300)
    return (await answer.json()) as Said
  }
  const verdict = async (credential: string): Promise<string> => {
    const body = await call('/v1/verify', { credential })
    return body.ok === true ? 'ok' : (body.code ?? 'none')
  }
  try {
    const lasting = await call('/v1/keys', { name: 'lasting' })
    const [before, during] = [
      await call('/v1/keys', { name: 'before' }),
      await call('/v1/keys', { name: 'during' }),
    ]
    const brief = await call('/v1/keys', {
      name: 'brief',
      expiresAt: new Date(START_MS + HOUR_MS).toISOString(),
    })
    await call(`/v1/keys/${before.id}/revoke`, {})

    clock.advance(DAY_MS)
    expect(await verdict(lasting.credential)).toBe('ok')
    expect(await verdict(before.credential)).toBe('revoked')
    expect(await verdict(brief.credential)).toBe('expired')
    await call(`/v1/keys/${during.id}/revoke`, {})
    const ahead = await call('/v1/keys', { name: 'made ahead' })

    clock.set(START_MS)
    expect(await verdict(lasting.credential)).toBe('ok')
    expect(await verdict(ahead.credential)).toBe('ok')
    expect(await verdict(before.credential)).toBe('revoked')
    expect(await verdict(during.credential)).toBe('revoked')
    await call(`/v1/keys/${ahead.id}/revoke`, {})
    expect(await verdict(ahead.credential)).toBe('revoked')
    await server.close()

    await expect(createServer(options)).rejects.toMatchObject({ code: 'unavailable' })
    const accepted = await createServer({ ...options, acceptClock: true })
    url = await accepted.listen()
    expect(await verdict(lasting.credential)).toBe('ok')
    for (const { credential } of [before, during, ahead]) expect(await verdict(credential)).toBe('revoked')
    await accepted.close()
  } finally {
    await server.close()
    rmSync(data, { recursive: true, force: true })
  }
})
