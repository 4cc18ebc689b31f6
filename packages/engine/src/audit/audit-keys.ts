import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { MasterKey } from '../storage/master-key.ts'

/** What the audit chain is made and checked with. Both come of the master key, so nothing of them is stored. */
export interface AuditKeys {
  /** HMAC with SHA-256, for the entries' MACs. */
  readonly chain: KeyObject
  /** Ed25519, private: for checkpoints and prune records. */
  readonly signing: KeyObject
}

/** What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

export function createAuditKeys(masterKey: MasterKey): AuditKeys {
  const seed = masterKey.derive('audit/signing').export()
  const der = Buffer.concat([PKCS8_PREFIX, seed])
  const signing = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  for (const bytes of [seed, der]) bytes.fill(0)
  return { chain: masterKey.derive('audit/chain'), signing }
}

/** Checks signatures of checkpoints and makes none: for anyone. */
export function publicKeyOf(keys: AuditKeys): KeyObject {
  return createPublicKey(keys.signing)
}
