import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { CodedError } from '../coded-error.ts'
import type { Random } from '../random.ts'
import type { MasterKey } from './master-key.ts'

const VERSION = 1
const KEY_ID_BYTES = 8
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES

/** Where a sealed value stands. It opens nowhere else. */
export interface SealedPlace {
  /** What is sealed, such as `signing-key`: each purpose has a key of its own. */
  readonly purpose: string
  /** The identity of its row, such as the row's id. */
  readonly row: string
}

/** Encrypts what must be read again, such as private signing keys, for storage. */
export interface Sealer {
  seal(place: SealedPlace, plain: Uint8Array): Uint8Array
  /** Throws `internal` when the value was altered, moved from another place, or sealed under another master key. */
  open(place: SealedPlace, sealed: Uint8Array): Uint8Array
}

/**
 * Seals with AES-256-GCM (NIST SP 800-38D) under keys derived from the master key. A sealed value is the version,
 * the key's id, a random nonce, the tag and the ciphertext; version, key id, purpose and row are its associated data.
 * Random nonces are safe for 2^32 values a purpose, which keyrings do not come near.
 */
export function createSealer(masterKey: MasterKey, random: Random): Sealer {
  const keyId = Buffer.from(masterKey.fingerprint, 'base64url').subarray(0, KEY_ID_BYTES)
  const keys = new Map<string, KeyObject>()

  function keyOf(purpose: string): KeyObject {
    const key = keys.get(purpose) ?? masterKey.derive(`seal/${purpose}`)
    keys.set(purpose, key)
    return key
  }

  function associatedData(place: SealedPlace): Buffer {
    // JSON quotes what it joins: no two places give the same text.
    return Buffer.from(JSON.stringify([VERSION, keyId.toString('hex'), place.purpose, place.row]))
  }

  return {
    seal(place, plain) {
      const nonce = random.bytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keyOf(place.purpose), nonce)
      cipher.setAAD(associatedData(place))
      const ciphertext = [cipher.update(plain), cipher.final()]
      return Buffer.concat([Buffer.of(VERSION), keyId, nonce, cipher.getAuthTag(), ...ciphertext])
    },

    open(place, sealed) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
      if (bytes.length < HEADER_BYTES + TAG_BYTES || bytes[0] !== VERSION) throw cannotOpen(place)
      if (!bytes.subarray(1, 1 + KEY_ID_BYTES).equals(keyId)) throw cannotOpen(place)
      const nonce = bytes.subarray(1 + KEY_ID_BYTES, HEADER_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', keyOf(place.purpose), nonce, {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(associatedData(place))
      decipher.setAuthTag(bytes.subarray(HEADER_BYTES, HEADER_BYTES + TAG_BYTES))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES + TAG_BYTES)), decipher.final()])
      } catch {
        throw cannotOpen(place)
      }
    },
  }
}

function cannotOpen({ purpose, row }: SealedPlace): CodedError {
  return new CodedError('internal', `The sealed ${purpose} of ${row} does not open: it was altered or moved.`)
}
