import type { Change } from '../changes/change.ts'
import { formatPosition } from '../changes/position.ts'
import type { Snapshot } from '../source/source.ts'
import type { EdgeClock } from './edge-clock.ts'
import { SnapshotLinesReader } from './snapshot-lines-reader.ts'
import type { SnapshotStore } from './snapshot-store.ts'

/** What was kept: a snapshot, and the changes that were made since, in order. */
export interface Kept {
  readonly snapshot: Snapshot
  readonly changes: readonly Change[]
  /** False: what follows was cut short, or does not follow. */
  readonly isWhole: boolean
}

/** What a keeper needs of its verifier. */
export interface SnapshotKeeperParts {
  readonly clock: EdgeClock
  /** The lines of a snapshot as of now, for when what is kept has become long. */
  readonly readLines: () => Promise<readonly string[]>
  readonly onFailure: (error: unknown) => void
}

const FLUSH_MS = 1_000
/** So many changes take longer to read than a new snapshot: it is time for one. */
const MAX_CHANGES = 10_000

/** Keeps a snapshot and what changes after it in a store, without anybody waiting for it. */
export class SnapshotKeeper {
  readonly #store: SnapshotStore
  readonly #options: SnapshotKeeperParts
  #unwritten: string[] = []
  #changes = 0
  /** What changed since a new snapshot was asked for; null: none is on its way. */
  #sinceRenewal: string[] | null = null
  /** Writes follow one another. */
  #writing: Promise<void> = Promise.resolve()
  #cancelFlush: (() => void) | undefined
  /** False: there is nothing that a change could be appended to. */
  #isWhole = false

  constructor(store: SnapshotStore, parts: SnapshotKeeperParts) {
    this.#store = store
    this.#options = parts
  }

  async load(): Promise<Kept | undefined> {
    try {
      const text = await this.#store.read()
      if (text === undefined || text === '') return undefined
      const kept = readKept(text)
      this.#changes = kept.changes.length
      this.#isWhole = kept.isWhole
      return kept
    } catch (error) {
      this.#options.onFailure(error)
      return undefined
    }
  }

  /** Replaces what was kept by the lines of a snapshot. */
  keep(lines: readonly string[]): void {
    this.#changes = 0
    this.#unwritten = []
    this.#isWhole = true
    this.#write(() => this.#store.write(`${lines.join('\n')}\n`))
  }

  add(change: Change): void {
    if (!this.#isWhole) return
    const line = JSON.stringify(change)
    this.#unwritten.push(line)
    this.#sinceRenewal?.push(line)
    this.#cancelFlush ??= this.#options.clock.after(FLUSH_MS, () => this.#flush())
    if (++this.#changes >= MAX_CHANGES && this.#sinceRenewal === null) void this.#renew()
  }

  /** Resolves when all is written. */
  close(): Promise<void> {
    this.#flush()
    return this.#writing
  }

  async #renew(): Promise<void> {
    const since: string[] = []
    this.#sinceRenewal = since
    try {
      this.keep([...(await this.#options.readLines()), ...since])
    } catch (error) {
      this.#options.onFailure(error)
    } finally {
      this.#sinceRenewal = null
      this.#changes = 0
    }
  }

  #flush(): void {
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    const lines = this.#unwritten
    if (lines.length === 0) return
    this.#unwritten = []
    this.#write(() => this.#store.append(`${lines.join('\n')}\n`))
  }

  #write(write: () => Promise<void>): void {
    this.#writing = this.#writing.then(write).catch((error) => {
      // What would come after the gap is of no use: the next snapshot makes it whole again.
      this.#isWhole = false
      this.#options.onFailure(error)
    })
  }
}

/** How a verifier keeps its snapshot over a restart; see {@link keepSnapshot}. */
export type SnapshotKeeping = (parts: SnapshotKeeperParts) => SnapshotKeeper

/** Keeps a verifier's snapshot in a store: its option `snapshot`. */
export function keepSnapshot(store: SnapshotStore): SnapshotKeeping {
  return (parts) => new SnapshotKeeper(store, parts)
}

/** Throws for what is no snapshot; changes that were cut short or do not follow are dropped with all after them. */
function readKept(text: string): Kept {
  const lines = text.split('\n')
  const reader = new SnapshotLinesReader()
  let next = 0
  while (!reader.hasEnded && next < lines.length) reader.push(lines[next++] ?? '')
  const snapshot = reader.finish()
  const changes: Change[] = []
  let { number } = snapshot.position
  // Each line was written with its end, so what comes last is empty.
  for (; next < lines.length - 1; next++) {
    const change = readChange(lines[next] ?? '')
    if (change === undefined || change.position.epoch !== snapshot.position.epoch) break
    if (change.position.number > number + 1) break
    if (change.position.number <= number) continue
    number++
    changes.push(change)
  }
  return { snapshot, changes, isWhole: next === lines.length - 1 && lines[next] === '' }
}

function readChange(line: string): Change | undefined {
  try {
    const change: Change = JSON.parse(line)
    formatPosition(change.position)
    return Array.isArray(change.facts) ? change : undefined
  } catch {
    return undefined
  }
}
