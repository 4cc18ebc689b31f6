import { Verifier } from '../verifier/verifier.ts'
import { type EdgeClock, SYSTEM_CLOCK } from './edge-clock.ts'
import type { EdgeEvent } from './edge-event.ts'
import { EdgeSource } from './edge-source.ts'
import { messageOf } from './edge-transport.ts'
import { type EdgeVerifier, OpenEdgeVerifier } from './edge-verifier.ts'
import { HttpTransport } from './http-transport.ts'
import type { SnapshotKeeping } from './snapshot-keeper.ts'
import { UsageReporter } from './usage-reporter.ts'

export interface EdgeVerifierOptions {
  /** The Claviger server's address. Plain HTTP is for a server on this machine only. */
  readonly url: string
  /** A management key of the preset `edge`. */
  readonly key: string
  /** Where the key is a root key: the project to verify for (default `default`). */
  readonly project?: string
  /**
   * What a token must be meant for, unless a request says otherwise: one or more values of `aud`, or `any`. Without it
   * every token is refused that is verified without an audience of the request's own.
   */
  readonly audience?: string | readonly string[]
  /** What people know this verifier by, in receipts and lists: 1 to 128 characters. */
  readonly name?: string
  /**
   * What to answer when the lease has ended and the server cannot be asked. `deny` (default): `unavailable`. Else
   * verdicts come from memory for so many seconds more, at most 3,600, and receipts of revocations wait as long for
   * this verifier (rule L4).
   */
  readonly onUnavailable?: 'deny' | { readonly allowCachedSeconds: number }
  /**
   * Keeps what is known over a restart, such as `snapshotFile(path)` of `@claviger/verify/snapshot-file`. No `ok` comes
   * of it before the server has confirmed it.
   */
  readonly snapshot?: SnapshotKeeping
  /** How many keys are cached (default 100,000, about 1 KB each). */
  readonly maxCachedKeys?: number
  /** How many tokens are cached (default 50,000, about 2 KB each). */
  readonly maxCachedTokens?: number
  /** How long to try to begin before giving up, seconds (default 30). */
  readonly startTimeoutSeconds?: number
  /** Told what happens to the connection and the lease. What it throws is ignored. */
  readonly onEvent?: (event: EdgeEvent) => void
  /** In place of the runtime's own. */
  readonly fetch?: typeof globalThis.fetch
  /** In place of the runtime's own clocks. */
  readonly clock?: EdgeClock
}

const MAX_ALLOW_CACHED_SECONDS = 3_600
const DEFAULT_START_TIMEOUT_SECONDS = 30
const MAX_NAME_LENGTH = 128

/**
 * Opens a verifier over a Claviger server. Resolves once it has the project's facts and a lease; rejects with an
 * {@link EdgeError} when the server refuses or does not answer in time, and with a TypeError for options that are none.
 */
export async function createVerifier(options: EdgeVerifierOptions): Promise<EdgeVerifier> {
  const allowCachedSeconds = readAllowedSeconds(options.onUnavailable)
  const { url, key, project, name, audience, maxCachedKeys, maxCachedTokens } = options
  if (typeof key !== 'string' || key === '')
    throw new TypeError('`key` is a management key of the preset `edge`.')
  if (name !== undefined && (name === '' || name.length > MAX_NAME_LENGTH)) {
    throw new TypeError(`\`name\` has 1 to ${MAX_NAME_LENGTH} characters.`)
  }
  const clock = options.clock ?? SYSTEM_CLOCK
  const onEvent = guarded(options.onEvent)
  const transport = new HttpTransport({ url, key, project, fetch: options.fetch ?? globalThis.fetch })
  const keeper = options.snapshot?.({
    clock,
    readLines: () => readLines(transport),
    onFailure: (error) => onEvent({ type: 'store_failed', reason: messageOf(error) }),
  })
  let face: OpenEdgeVerifier | undefined
  const source = new EdgeSource({
    transport,
    clock,
    randomId,
    random: Math.random,
    name,
    allowCachedSeconds,
    keeper,
    onEvent,
    statistics: () => face?.reported() ?? {},
    startTimeoutMs: (options.startTimeoutSeconds ?? DEFAULT_START_TIMEOUT_SECONDS) * 1000,
  })
  try {
    const verifier = await Verifier.open({ source, audience, maxCachedKeys, maxCachedTokens })
    const take = () => verifier.takeUses()
    const usage = new UsageReporter({ transport, clock, verifierId: source.id, randomId, take })
    face = new OpenEdgeVerifier({ verifier, source, clock, keeper, usage })
    return face
  } catch (error) {
    source.close()
    throw error
  }
}

/** Whoever listens cannot end what it listens to. */
function guarded(listener: EdgeVerifierOptions['onEvent']): (event: EdgeEvent) => void {
  return (event) => {
    try {
      listener?.(event)
    } catch {
      // As the option says.
    }
  }
}

/** The lines of a snapshot as of now. */
async function readLines(transport: HttpTransport): Promise<readonly string[]> {
  const lines: string[] = []
  await transport.readSnapshot(new AbortController().signal, (line) => lines.push(line))
  return lines
}

function readAllowedSeconds(onUnavailable: EdgeVerifierOptions['onUnavailable'] = 'deny'): number {
  if (onUnavailable === 'deny') return 0
  const seconds = onUnavailable?.allowCachedSeconds
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= MAX_ALLOW_CACHED_SECONDS) return seconds
  throw new TypeError(
    `\`onUnavailable\` is 'deny' or { allowCachedSeconds: 0 to ${MAX_ALLOW_CACHED_SECONDS} }.`,
  )
}

/** 122 random bits (RFC 9562, section 5.4). */
function randomId(): string {
  return crypto.randomUUID()
}
