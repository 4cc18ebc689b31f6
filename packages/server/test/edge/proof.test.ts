import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ChildServer, startServer } from '../faults/child-server.ts'
import { chooseSeed, seededRandom } from '../faults/seed.ts'
import { FaultyProxy } from '../faulty-proxy.ts'
import { PeerProcess } from './peer-process.ts'

/** How many things go wrong in turn: `FAULT_CYCLES=100` for a long run. */
const FAULTS = Number(process.env.FAULT_CYCLES ?? 6)
const PEERS = 3
const LEASE_NS = 5_000_000_000n

interface Key {
  readonly id: string
  readonly credential: string
  /** When its revocation was acknowledged, and when its receipt was seen to be effective. */
  revokedAt?: bigint
  effectiveAt?: bigint
  /** The server did not say what became of its revocation. */
  isUncertain?: boolean
}

let folder: string
let server: ChildServer
let proxy: FaultyProxy
let peers: PeerProcess[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-proof-'))
  server = await startServer(folder)
  proxy = await FaultyProxy.open(Number(new URL(server.url).port))
  const { body } = await server.call('POST', '/v1/management-keys', {
    name: 'edge',
    project: 'default',
    preset: 'edge',
  })
  peers = await Promise.all(
    Array.from({ length: PEERS }, () => PeerProcess.start(proxy.url, body.credential)),
  )
})
afterAll(async () => {
  await Promise.all(peers.map((peer) => peer.close()))
  await proxy.close()
  await server.stop()
  rmSync(folder, { recursive: true })
})

async function makeKey(more: object = {}): Promise<Key> {
  const { body } = await server.call('POST', '/v1/keys', { name: 'proof', ...more })
  return { id: body.id, credential: body.credential }
}

test('L1, V8: whatever is cut, held, killed or stopped, nothing passes after a receipt or past a lease', async () => {
  const random = seededRandom(chooseSeed())
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item
  const keys = await Promise.all(Array.from({ length: 30 }, () => makeKey()))
  const limited = await makeKey({ limits: [{ name: 'an-hour', limit: 60, windowSeconds: 3_600 }] })
  const counted = await makeKey()
  const passed = { limited: 0, counted: 0 }
  let isOver = false

  /** Asks a peer again and again, and holds each answer against what is known of the key. */
  const watch = async (peer: PeerProcess): Promise<void> => {
    while (!isOver) {
      const revoked = keys.filter(({ revokedAt }) => revokedAt !== undefined).slice(0, 5)
      const others = [limited, counted, ...keys]
      const key = pick(revoked.length > 0 && random() < 0.7 ? revoked : others)
      const { outcome, askedAt } = await peer.ask(key.credential)
      if (outcome === 'ok') {
        const { effectiveAt, revokedAt } = key
        expect(effectiveAt === undefined || askedAt < effectiveAt, 'ok after its receipt').toBe(true)
        expect(revokedAt === undefined || askedAt < revokedAt + LEASE_NS, 'ok past the lease').toBe(true)
        if (key === limited) passed.limited++
        if (key === counted) passed.counted++
      }
      await sleep(random() * 5)
    }
  }

  /** Revokes keys now and then, and notes when each receipt is effective. */
  const revoke = async (): Promise<void> => {
    const left = [...keys]
    while (!isOver && left.length > 10) {
      await sleep(500 + random() * 1_500)
      const key = left.pop()
      if (key !== undefined) await revokeOne(key).catch(() => undefined)
    }
  }
  const revokeOne = async (key: Key): Promise<void> => {
    key.isUncertain = true
    const { body, status } = await server.call('POST', `/v1/keys/${key.id}/revoke`, {})
    if (status !== 200) return
    key.isUncertain = false
    key.revokedAt = process.hrtime.bigint()
    const { body: receipt } = await server.call('GET', `/v1/revocations/${body.id}?waitSeconds=2`)
    if (receipt.effective === true) key.effectiveAt = process.hrtime.bigint()
  }

  const faults: readonly (() => Promise<void>)[] = [
    async () => {
      proxy.cut()
      await sleep(4_000 + random() * 4_500)
      proxy.mend()
    },
    async () => {
      proxy.hold()
      await sleep(4_000 + random() * 4_500)
      proxy.release()
    },
    async () => {
      proxy.delayMs = random() * 500
      await sleep(2_000)
      proxy.delayMs = 0
    },
    async () => {
      const peer = pick(peers)
      peer.pause()
      await sleep(4_000 + random() * 4_500)
      peer.resume()
    },
    async () => {
      await server.kill()
      await sleep(random() * 1_000)
      server = await startServer(folder)
      proxy.target = Number(new URL(server.url).port)
      proxy.cut()
      proxy.mend()
    },
  ]

  const watching = peers.map(watch)
  const revoking = revoke()
  for (let index = 0; index < FAULTS; index++) {
    await sleep(500)
    await (index < faults.length ? faults[index] : pick(faults))?.()
  }
  isOver = true
  await Promise.all([...watching, revoking])

  // The faults are over: what is valid passes again, and what was revoked does not.
  const outcomesOf = (key: Key) =>
    Promise.all(peers.map(async (peer) => (await peer.ask(key.credential)).outcome))
  for (const key of keys.filter(({ isUncertain }) => isUncertain !== true)) {
    const expected = key.revokedAt === undefined ? 'ok' : 'revoked'
    await expect.poll(() => outcomesOf(key), { timeout: 10_000 }).toEqual(Array(PEERS).fill(expected))
  }
  expect(keys.some(({ effectiveAt }) => effectiveAt !== undefined)).toBe(true)
  expect(passed.limited).toBeLessThanOrEqual(60)
  const usageOf = async (key: Key): Promise<number> => {
    const { body } = await server.call('GET', `/v1/usage?keyId=${key.id}&outcome=ok`)
    return body.items.reduce((sum: number, { count }: { count: number }) => sum + count, 0)
  }
  await expect.poll(() => usageOf(counted), { timeout: 20_000 }).toBe(passed.counted)
  expect(await usageOf(limited)).toBe(passed.limited)
}, 900_000)
