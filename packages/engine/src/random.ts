import { createHash, randomFillSync } from 'node:crypto'

/** Where secrets and identifiers come from. It comes in at the composition root, so that tests own it. */
export interface Random {
  bytes(length: number): Uint8Array
}

const BASE62 = Buffer.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')

/** The largest multiple of 62 that a byte can reach: bytes from here on would favour the first characters. */
const UNBIASED_BYTES = 248

/** Asking for few bytes costs as much as asking for thousands: so they are fetched in advance. */
const POOL_BYTES = 4096

/** The operating system's generator. What was handed out is forgotten here. */
export function systemRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  return {
    bytes(length) {
      if (length > POOL_BYTES) return randomFillSync(new Uint8Array(length))
      if (used + length > POOL_BYTES) {
        randomFillSync(pool)
        used = 0
      }
      const bytes = pool.slice(used, used + length)
      pool.fill(0, used, used + length)
      used += length
      return bytes
    },
  }
}

/** The same bytes for the same seed. For tests alone: whoever knows the seed knows every secret. */
export function seededRandom(seed: string): Random {
  let block = 0
  return {
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let at = 0; at < length; at += 32) {
        const digest = createHash('sha256').update(`${block++}:${seed}`).digest()
        bytes.set(digest.subarray(0, Math.min(32, length - at)), at)
      }
      return bytes
    },
  }
}

/**
 * A prefixed UUIDv7 (RFC 9562, section 5.7), such as `key_019380e1c0de7a5b8c3d2e1f0a9b8c7d`: 32 lower-case
 * hexadecimal digits without hyphens, so that one double-click selects it. Ids of one prefix sort by time.
 */
export function newId(prefix: string, nowMs: number, random: Random): string {
  const bytes = Buffer.from(random.bytes(10))
  bytes[0] = 0x70 | ((bytes[0] ?? 0) & 0x0f)
  bytes[2] = 0x80 | ((bytes[2] ?? 0) & 0x3f)
  return `${prefix}_${Math.floor(nowMs).toString(16).padStart(12, '0')}${bytes.toString('hex')}`
}

/** Where the ids of that millisecond begin: every earlier one of the prefix sorts before it. */
export function lowestId(prefix: string, ms: number): string {
  return `${prefix}_${Math.max(0, ms).toString(16).padStart(12, '0')}`
}

/** Evenly distributed characters of `0-9A-Za-z`: 5.95 bits each. */
export function randomBase62(length: number, random: Random): string {
  const text = Buffer.alloc(length)
  let written = 0
  while (written < length) {
    for (const byte of random.bytes(length - written)) {
      if (byte < UNBIASED_BYTES) text[written++] = BASE62[byte % 62] ?? 0
    }
  }
  const characters = text.toString('latin1')
  // A secret is left in its text alone.
  text.fill(0)
  return characters
}
