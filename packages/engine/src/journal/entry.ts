/** The first entry of each file of the journal: which commits it has. */
export interface SegmentHeader {
  readonly format: 1
  readonly installationId: string
  /** The line of commits that it belongs to: a restore begins another. */
  readonly history: string
  /** The commit that was journaled last when the file was begun; 0: none. What came before it is not in here. */
  readonly journaled: number
  /** Where the journal stood when a restore began this history; null: it goes on with the same one. */
  readonly continues: { readonly history: string; readonly journaled: number } | null
  /** When the file was begun, epoch milliseconds. */
  readonly atMs: number
}

/** A commit that took something away. */
export interface JournalRecord {
  /** The number of the commit (`installation.commit_number`). */
  readonly commit: number
  /** The number of the one before it in the journal: what is missing shows. */
  readonly previous: number
  /** Epoch milliseconds. */
  readonly atMs: number
  /** The version of the tables that it was made on. */
  readonly version: number
  /** Every row that the commit wrote, as a patchset of SQLite (https://www.sqlite.org/sessionintro.html). */
  readonly patchset: Uint8Array
}

const LENGTH_BYTES = 4

export function writeHeader(header: SegmentHeader): Buffer {
  return Buffer.from(JSON.stringify(header))
}

export function readHeader(payload: Buffer): SegmentHeader {
  return JSON.parse(payload.toString())
}

export function writeRecord({ patchset, ...facts }: JournalRecord): Buffer {
  const text = Buffer.from(JSON.stringify(facts))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(text.length)
  return Buffer.concat([length, text, patchset])
}

export function readRecord(payload: Buffer): JournalRecord {
  const end = LENGTH_BYTES + payload.readUInt32LE()
  const facts = JSON.parse(payload.subarray(LENGTH_BYTES, end).toString())
  return { ...facts, patchset: payload.subarray(end) }
}
