import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import type { Random } from '../random.ts'

const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32

/** Encrypts the secrets of an answer so that only whoever presents the same credential again can read them. */
export interface AnswerSeal {
  seal(place: string, plain: string): Uint8Array
  /** Undefined: it was sealed for another credential, or altered. */
  open(place: string, sealed: Uint8Array): string | undefined
}

/**
 * AES-256-GCM under a key that is derived from the caller's credential (HKDF with SHA-256, RFC 5869) and a random salt,
 * so each answer has a key of its own. The database holds the credential's SHA-256 alone, from which that key does not
 * follow: neither the file nor the master key opens the answer. `place` is associated data.
 */
export function createAnswerSeal(credential: string, random: Random): AnswerSeal {
  const keyOf = (salt: Uint8Array): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', credential, salt, 'claviger/v1/idempotent-answer', KEY_BYTES))

  return {
    seal(place, plain) {
      const salt = random.bytes(SALT_BYTES)
      const nonce = random.bytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keyOf(salt), nonce)
      cipher.setAAD(Buffer.from(place))
      const ciphertext = [cipher.update(plain, 'utf8'), cipher.final()]
      return Buffer.concat([salt, nonce, cipher.getAuthTag(), ...ciphertext])
    },

    open(place, sealed) {
      const salt = sealed.subarray(0, SALT_BYTES)
      const nonce = sealed.subarray(SALT_BYTES, SALT_BYTES + NONCE_BYTES)
      const tag = sealed.subarray(SALT_BYTES + NONCE_BYTES, SALT_BYTES + NONCE_BYTES + TAG_BYTES)
      if (tag.length < TAG_BYTES) return undefined
      const decipher = createDecipheriv('aes-256-gcm', keyOf(salt), nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(place))
      decipher.setAuthTag(tag)
      try {
        const ciphertext = sealed.subarray(SALT_BYTES + NONCE_BYTES + TAG_BYTES)
        return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString()
      } catch {
        return undefined
      }
    },
  }
}
