/** What goes wrong between one verifier and its server, or in its machine, for as long as a round takes. */
export interface PeerFault {
  readonly kind: /** No connection is let through. */
    | 'cut'
    /** What is sent arrives at the end of the round. */
    | 'hold'
    /** What is sent never arrives, and nobody is told. */
    | 'drop'
    | 'delay'
    /** SIGSTOP. */
    | 'stop'
    /** It stands still, its monotonic clock too, and the clock on its wall is set back a moment after it wakes. */
    | 'sleep'
    | 'wall-ahead'
    | 'wall-back'
    | 'monotonic-stands'
  /** Of a delay, or by how much the clock is set. */
  readonly ms: number
  /** The connection is cut as well, so that nothing but the clocks says how old the facts are. */
  readonly isCut: boolean
}

export interface ServerFault {
  readonly kind: 'kill' | 'clock'
  /** When, of a round. */
  readonly afterMs: number
  /** By how much its clock is set: after a kill before the next start. */
  readonly ms: number
}

/** Faults that begin together. */
export interface Round {
  readonly lastsMs: number
  readonly peers: readonly PeerFault[]
  readonly server: ServerFault
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** Longer than a lease, so that no round begins with one from before the round before: see {@link planFaults}. */
const SHORTEST_MS = 5_500
const LONGEST_MS = 7_500
const PEER_KINDS: readonly PeerFault['kind'][] = [
  'cut',
  'hold',
  'drop',
  'delay',
  'stop',
  'sleep',
  'wall-ahead',
  'wall-back',
  'monotonic-stands',
]
const MOVES_A_CLOCK: ReadonlySet<string> = new Set(['wall-ahead', 'wall-back', 'monotonic-stands'])
const SERVER_KINDS: readonly ServerFault['kind'][] = ['clock', 'kill']
/** The server's clock stays between these, so that a limit of a day is one limit. */
const EARLIEST_MS = HOUR_MS
const LATEST_MS = 23 * HOUR_MS

/**
 * The faults of a run, which the random numbers alone decide. Each kind comes before any comes again. One clock of a peer
 * is wrong at a time, and for longer than a lease: rule L2 takes the larger of two clocks.
 */
export function planFaults(
  random: () => number,
  { rounds, peers, startMs }: { readonly rounds: number; readonly peers: number; readonly startMs: number },
): readonly Round[] {
  const peerKinds = dealer(random, PEER_KINDS)
  const serverKinds = dealer(random, SERVER_KINDS)
  let serverMs = startMs
  return Array.from({ length: rounds }, () => {
    const round = {
      lastsMs: between(random, SHORTEST_MS, LONGEST_MS),
      peers: Array.from({ length: peers }, () => planPeer(random, peerKinds())),
      server: planServer(random, serverKinds(), serverMs),
    }
    serverMs += round.server.ms
    return round
  })
}

function planPeer(random: () => number, kind: PeerFault['kind']): PeerFault {
  const isCut = random() < 0.7
  const [amount, isHours] = [random(), random() < 0.5]
  const ms = isHours ? Math.round(amount * 40 * HOUR_MS) : Math.round(amount * 10 * MINUTE_MS)
  if (kind === 'delay') return { kind, ms: Math.round(amount * 500), isCut: false }
  if (kind === 'sleep') return { kind, ms: -ms, isCut: true }
  if (!MOVES_A_CLOCK.has(kind)) return { kind, ms: 0, isCut: false }
  return { kind, ms: kind === 'wall-back' ? -ms : ms, isCut }
}

function planServer(random: () => number, kind: ServerFault['kind'], nowMs: number): ServerFault {
  const afterMs = between(random, 0, 1_500)
  const [amount, isBack, isSet] = [random(), random() < 0.4, random() < 0.75]
  if (kind === 'kill' && !isSet) return { kind, afterMs, ms: 0 }
  // Back at a restart, it would be waited for what the former run granted until the end of the test.
  const ms = Math.round((isBack && kind !== 'kill' ? -amount : amount) * 5 * HOUR_MS)
  const isWithin = nowMs + ms > EARLIEST_MS && nowMs + ms < LATEST_MS
  return { kind, afterMs, ms: isWithin ? ms : -ms }
}

/** Deals all of them in a random order, and then again in another. */
function dealer<Item>(random: () => number, items: readonly Item[]): () => Item {
  let left: Item[] = []
  return () => {
    if (left.length === 0) left = [...items]
    const [item] = left.splice(Math.floor(random() * left.length), 1)
    if (item === undefined) throw new TypeError('There is nothing to deal.')
    return item
  }
}

function between(random: () => number, least: number, most: number): number {
  return Math.round(least + random() * (most - least))
}
