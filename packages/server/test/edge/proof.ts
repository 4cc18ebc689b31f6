import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { VerifyRequest } from '@claviger/verify'
import { type Answer, type ChildServer, type SourceChange, startServer } from '../faults/child-server.ts'
import { seededRandom } from '../faults/seed.ts'
import { FaultyProxy } from '../faulty-proxy.ts'
import type { PeerFault, Round, ServerFault } from './fault-plan.ts'
import { harmPeer } from './harm-peer.ts'
import { giveBack, type Held, issue, REFUSALS, type TakenBy, take } from './held.ts'
import { PeerProcess } from './peer-process.ts'

export interface ProofOptions {
  readonly seed: number
  readonly rounds: readonly Round[]
  /** Where the server's clock begins: milliseconds of its day. */
  readonly startMs: number
  /** Mistakes in the shipped code: of the server, and of each peer. */
  readonly serverChanges?: readonly SourceChange[]
  readonly peerChanges?: readonly (readonly SourceChange[])[]
}

/** A key that passes so often a day, and how often it has. */
interface Limited {
  readonly keyId: string
  readonly request: VerifyRequest
  passed: number
}

type Action = 'issue' | 'limit' | 'give back' | 'take'

const DAY_MS = 86_400_000
const LEASE_NS = 5_000_000_000n
/** Between two rounds, in which all is well. */
const REST_MS = 1_000
/** How many that each thing can be taken from there are at first. */
const FIRST_OF_EACH = 5
export const LIMIT = 60
/** What was taken a while ago is asked for less than what was taken just now. */
const RECENT = 12

/** What is done to the server, as often as each stands here. */
const ACTIONS: readonly Action[] = [
  'issue',
  'issue',
  'limit',
  'give back',
  'give back',
  'take',
  'take',
  'take',
  'take',
  'take',
]
const KINDS = Object.keys(REFUSALS) as TakenBy[]
/** Keys are not given back, so there are more of them. */
const ISSUED: readonly TakenBy[] = [...KINDS, 'key', 'key', 'key', 'key']
/** How far into each round a key is revoked, whatever else is done: its receipt is what rule V8 speaks of. */
const REVOCATIONS_MS = [1_000, 2_000]

/**
 * A server and verifiers in processes of their own, a proxy before each, and somebody who issues, takes away and gives back
 * while rounds of faults pass. Every answer is held against what was acknowledged before it was asked for, by a clock that
 * no fault touches. What is done is decided by the seed; when, by the machine.
 */
export class Proof {
  readonly #options: ProofOptions
  readonly #folder: string
  readonly #held: Held[] = []
  readonly #limited: Limited[] = []
  readonly #taken: Held[] = []
  readonly #receipts = new Set<Promise<void>>()
  #server: ChildServer
  #proxies: readonly FaultyProxy[] = []
  #peers: PeerProcess[] = []
  #serverAheadMs: number
  #round: Round | undefined
  #isOver = false
  /** What must never be, and was. */
  readonly violations = new Set<string>()
  readonly counts = { asked: 0, changed: 0, effective: 0 }

  private constructor(options: ProofOptions, folder: string, server: ChildServer, aheadMs: number) {
    this.#options = options
    this.#folder = folder
    this.#server = server
    this.#serverAheadMs = aheadMs
  }

  static async open(options: ProofOptions): Promise<Proof> {
    const folder = mkdtempSync(join(tmpdir(), 'claviger-proof-'))
    const aheadMs = options.startMs - (Date.now() % DAY_MS)
    const changes = options.serverChanges ?? []
    const server = await startServer(folder, { clockAheadMs: aheadMs, changes })
    const proof = new Proof(options, folder, server, aheadMs)
    const { body } = await server.call('POST', '/v1/management-keys', {
      name: 'edge',
      project: 'default',
      preset: 'edge',
    })
    const peers = options.rounds[0]?.peers ?? []
    const port = Number(new URL(server.url).port)
    proof.#proxies = await Promise.all(peers.map(() => FaultyProxy.open(port)))
    proof.#peers = await Promise.all(
      proof.#proxies.map(({ url }, index) =>
        PeerProcess.start(url, body.credential, options.peerChanges?.[index]),
      ),
    )
    return proof
  }

  /** Everybody works while the rounds pass. */
  async run(): Promise<void> {
    for (const kind of KINDS) for (let made = 0; made < FIRST_OF_EACH; made++) await this.#issue(kind)
    await this.#issueLimited(true)
    await this.#issueLimited(false)
    for (const peer of this.#peers) await Promise.all(this.#held.map(({ request }) => peer.ask(request)))

    await this.#revokeAfter(0)
    const working = [this.#change(), ...this.#peers.map((peer, index) => this.#watch(peer, index))]
    for (const round of this.#options.rounds) {
      await sleep(REST_MS)
      this.#round = round
      await Promise.all([
        this.#harmServer(round.server),
        ...round.peers.map((fault, peer) => this.#harmPeer(peer, fault, round.lastsMs)),
        ...REVOCATIONS_MS.map((ms) => this.#revokeAfter(ms)),
      ])
    }
    this.#isOver = true
    await Promise.all([...working, ...this.#receipts])
  }

  /** Whose state is known, with what each peer answers now. */
  async answers(): Promise<readonly { readonly expected: string; readonly outcomes: readonly string[] }[]> {
    const known = this.#held.filter(({ state }) => state !== 'unknown')
    return Promise.all(
      known.map(async ({ request, state, takenBy }) => ({
        expected: state === 'valid' ? 'ok' : REFUSALS[takenBy],
        outcomes: await Promise.all(this.#peers.map(async (peer) => (await peer.ask(request)).outcome)),
      })),
    )
  }

  /** Of each key that has a limit: how often it passed, and how often the server has counted that. */
  async limits(): Promise<readonly { readonly passed: number; readonly counted: number }[]> {
    // A peer whose clock is behind tells of days before, and a server whose clock was set back has some yet to come.
    const [from, to] = [-8, 2].map((days) => new Date(Date.now() + days * DAY_MS).toISOString())
    const range = `resolution=day&from=${from}&to=${to}`
    return Promise.all(
      this.#limited.map(async ({ keyId, passed }) => {
        const { body } = await this.#server.call('GET', `/v1/usage?keyId=${keyId}&outcome=ok&${range}`)
        const counts: readonly { readonly count: number }[] = body.items
        return { passed, counted: counts.reduce((sum, { count }) => sum + count, 0) }
      }),
    )
  }

  async closePeers(): Promise<void> {
    await Promise.all(this.#peers.splice(0).map((peer) => peer.close()))
  }

  async close(): Promise<void> {
    await this.closePeers()
    await Promise.all(this.#proxies.map((proxy) => proxy.close()))
    await this.#server.stop()
    rmSync(this.#folder, { recursive: true })
  }

  /** Whoever draws has numbers of its own, so that nobody's depend on who was quicker. */
  #random(who: number): () => number {
    return seededRandom(this.#options.seed + who * 7_919)
  }

  async #change(): Promise<void> {
    const random = this.#random(1)
    while (!this.#isOver) {
      const [waitMs, what, which] = [150 + random() * 300, pick(ACTIONS, random()), random()]
      await sleep(waitMs)
      await this.#changeOnce(what, which).then(
        () => this.counts.changed++,
        () => undefined,
      )
    }
  }

  async #changeOnce(what: Action, which: number): Promise<void> {
    if (what === 'issue') return this.#issue(pick(ISSUED, which))
    if (what === 'limit') return this.#issueLimited(which < 0.5)
    const isTaking = what === 'take'
    const held = pickOf(
      this.#held.filter(
        ({ state, takenBy }) => state === (isTaking ? 'valid' : 'taken') && (isTaking || takenBy !== 'key'),
      ),
      which,
    )
    if (held === undefined) return
    held.state = 'unknown'
    if (isTaking) return this.#take(held)
    // From here on it may pass.
    held.takenAt = undefined
    held.effectiveAt = undefined
    await giveBack(this.#call, held)
    held.state = 'valid'
  }

  async #revokeAfter(ms: number): Promise<void> {
    await sleep(ms)
    const held = this.#held.find(({ state, takenBy }) => state === 'valid' && takenBy === 'key')
    if (held === undefined) return
    held.state = 'unknown'
    // Nobody answers while the server is down.
    await this.#take(held).catch(() => undefined)
  }

  async #take(held: Held): Promise<void> {
    held.wasEverTaken = true
    const before = this.#held.filter(({ takenAt }) => takenAt !== undefined)
    const since = new Map(before.map((other) => [other, other.takenAt]))
    const body = await take(this.#call, held)
    held.takenAt = process.hrtime.bigint()
    held.state = 'taken'
    this.#taken.push(held)
    if (held.takenBy !== 'key') return
    since.set(held, held.takenAt)
    const receipt = this.#awaitReceipt(body.id, since).finally(() => this.#receipts.delete(receipt))
    this.#receipts.add(receipt)
  }

  /** Where a receipt is effective, so is whatever was acknowledged before it: changes are applied in order (rule F1). */
  async #awaitReceipt(id: string, since: ReadonlyMap<Held, bigint | undefined>): Promise<void> {
    while (!this.#isOver) {
      const answer = await this.#call('GET', `/v1/revocations/${id}?waitSeconds=1`).catch(() => sleep(100))
      if (answer?.body.effective !== true) continue
      this.counts.effective++
      const effectiveAt = process.hrtime.bigint()
      for (const [held, takenAt] of since) if (held.takenAt === takenAt) held.effectiveAt ??= effectiveAt
      return
    }
  }

  /** Asks a peer again and again. */
  async #watch(peer: PeerProcess, index: number): Promise<void> {
    const random = this.#random(2 + index)
    while (!this.#isOver) {
      const [group, which, waitMs] = [random(), random(), random() * 5]
      const limited = group < 0.1 ? pick(this.#limited, which) : undefined
      if (limited !== undefined) {
        if ((await peer.ask(limited.request)).outcome === 'ok') limited.passed++
      } else {
        const recent = group < 0.75 ? pickOf(this.#taken.slice(-RECENT), which) : undefined
        const held = recent ?? pick(this.#held, which)
        this.#judge(held, index, await peer.ask(held.request))
      }
      this.counts.asked++
      await sleep(waitMs)
    }
  }

  #judge(held: Held, peer: number, { outcome, askedAt }: { outcome: string; askedAt: bigint }): void {
    const { issuedAt, takenAt, effectiveAt, takenBy, wasEverTaken } = held
    const note = (what: string): void => {
      const round = this.#round === undefined ? -1 : this.#options.rounds.indexOf(this.#round)
      const fault = this.#round?.peers[peer]?.kind ?? 'no fault'
      this.violations.add(`${what}: ${takenBy}, peer ${peer}, round ${round}, ${fault}`)
    }
    if (outcome === 'ok') {
      if (effectiveAt !== undefined && askedAt >= effectiveAt) note('ok after the receipt was effective (V8)')
      if (takenAt !== undefined && askedAt >= takenAt + LEASE_NS) note('ok past the lease (L1)')
    } else if (!wasEverTaken && outcome !== 'unavailable' && askedAt >= issuedAt + LEASE_NS) {
      note(`${outcome}, though it is valid`)
    }
  }

  async #harmPeer(index: number, fault: PeerFault, lastsMs: number): Promise<void> {
    const [peer, proxy] = [this.#peers[index], this.#proxies[index]]
    if (peer === undefined || proxy === undefined) throw new TypeError(`There is no peer ${index}.`)
    await harmPeer({ peer, proxy, fault, lastsMs })
  }

  async #harmServer({ kind, afterMs, ms }: ServerFault): Promise<void> {
    await sleep(afterMs)
    this.#serverAheadMs += ms
    if (kind === 'clock') this.#server.setClock(this.#serverAheadMs)
    if (kind !== 'kill') return
    await this.#server.kill()
    const changes = this.#options.serverChanges ?? []
    this.#server = await startServer(this.#folder, { clockAheadMs: this.#serverAheadMs, changes })
    for (const proxy of this.#proxies) proxy.target = Number(new URL(this.#server.url).port)
  }

  readonly #call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    this.#server.call(method, path, body)

  async #issue(takenBy: TakenBy): Promise<void> {
    this.#held.push(await issue(this.#call, takenBy))
  }

  async #issueLimited(isQuota: boolean): Promise<void> {
    const { body } = await this.#call('POST', '/v1/keys', {
      name: 'limited',
      ...(isQuota
        ? { quota: { limit: LIMIT, refill: 'daily' } }
        : { limits: [{ name: 'a-day', limit: LIMIT, windowSeconds: DAY_MS / 1000 }] }),
    })
    this.#limited.push({ keyId: body.id, request: { credential: body.credential }, passed: 0 })
  }
}

function pick<Item>(items: readonly Item[], random: number): Item {
  const item = pickOf(items, random)
  if (item === undefined) throw new TypeError('There is nothing to pick.')
  return item
}

function pickOf<Item>(items: readonly Item[], random: number): Item | undefined {
  return items[Math.floor(random * items.length)]
}
