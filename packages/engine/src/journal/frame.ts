import { createHmac, type KeyObject } from 'node:crypto'

/** Every frame begins with it, so that a reader finds those that stand behind a damaged one. */
const MARK = Buffer.from('CJ1\n')
/** Stands behind the last frame, and is written over by the next: where it is missing, the file was cut. */
export const END = Buffer.from('END CJ1\n')

const LENGTH_BYTES = 4
const MAC_BYTES = 16
const HEAD_BYTES = MARK.length + LENGTH_BYTES + MAC_BYTES

/** A file as its frames say it. */
export interface Frames {
  readonly payloads: readonly Buffer[]
  /** Where the last whole frame ends. */
  readonly end: number
  /** False: what stands behind the last whole frame was cut off, or never written to its end. */
  readonly closed: boolean
}

/**
 * One entry of the journal: the mark, the payload's length, a MAC over length and payload (HMAC-SHA256, cut to 128 bits),
 * the payload. What is replayed from the journal goes into the database as it stands, so nobody without the master key
 * can write an entry.
 */
export function writeFrame(key: KeyObject, payload: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(payload.length)
  return Buffer.concat([MARK, length, macOf(key, length, payload), payload])
}

/**
 * Reads the frames up to the end, or to the place where a write was cut short. `damagedAt` instead when a frame that is
 * not whole has a whole one behind it: no crash does that.
 */
export function readFrames(key: KeyObject, bytes: Buffer): Frames | { readonly damagedAt: number } {
  const payloads: Buffer[] = []
  let end = 0
  for (let payload = frameAt(key, bytes, end); payload !== undefined; payload = frameAt(key, bytes, end)) {
    payloads.push(payload)
    end += HEAD_BYTES + payload.length
  }
  const closed = bytes.subarray(end, end + END.length).equals(END)
  if (!closed && hasFrameBehind(key, bytes, end)) return { damagedAt: end }
  return { payloads, end, closed }
}

function frameAt(key: KeyObject, bytes: Buffer, at: number): Buffer | undefined {
  if (at + HEAD_BYTES > bytes.length) return undefined
  if (!bytes.subarray(at, at + MARK.length).equals(MARK)) return undefined
  const length = bytes.subarray(at + MARK.length, at + MARK.length + LENGTH_BYTES)
  const from = at + HEAD_BYTES
  const payload = bytes.subarray(from, from + length.readUInt32LE())
  const mac = bytes.subarray(from - MAC_BYTES, from)
  return payload.length === length.readUInt32LE() && macOf(key, length, payload).equals(mac)
    ? payload
    : undefined
}

function hasFrameBehind(key: KeyObject, bytes: Buffer, end: number): boolean {
  for (let at = bytes.indexOf(MARK, end + 1); at >= 0; at = bytes.indexOf(MARK, at + 1)) {
    if (frameAt(key, bytes, at) !== undefined) return true
  }
  return false
}

function macOf(key: KeyObject, length: Buffer, payload: Uint8Array): Buffer {
  return createHmac('sha256', key).update(length).update(payload).digest().subarray(0, MAC_BYTES)
}
