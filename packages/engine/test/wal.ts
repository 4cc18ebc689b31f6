import { readFileSync } from 'node:fs'

const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/** Counts the commits in a write-ahead log: a frame that ends one says the size of the database after it. */
export function countCommits(databaseFile: string): number {
  const log = readFileSync(`${databaseFile}-wal`)
  const frameBytes = FRAME_HEADER_BYTES + log.readUInt32BE(8)
  let commits = 0
  for (let at = HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
    if (log.readUInt32BE(at + 4) !== 0) commits++
  }
  return commits
}
