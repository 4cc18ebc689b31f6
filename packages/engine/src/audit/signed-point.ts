import { type KeyObject, sign, verify } from 'node:crypto'
import type { AuditPointTable } from '../storage/schema.ts'

/**
 * A signed place in a chain. A `checkpoint` says that the chain reached it: from then on nobody can cut it shorter
 * unnoticed. A `prune` record says that the node itself removed the entries up to it.
 */
export type SignedPoint = AuditPointTable

/** Signs with Ed25519 (RFC 8032) over a text that names the kind, so that neither passes for the other. */
export function signPoint(signingKey: KeyObject, point: Omit<SignedPoint, 'signature'>): SignedPoint {
  return { ...point, signature: sign(null, signedText(point), signingKey).toString('hex') }
}

export function isSigned(publicKey: KeyObject, point: SignedPoint): boolean {
  if (!/^[0-9a-f]{128}$/.test(point.signature)) return false
  return verify(null, signedText(point), publicKey, Buffer.from(point.signature, 'hex'))
}

function signedText(point: Omit<SignedPoint, 'signature'>): Buffer {
  const { kind, project_id, sequence, mac, at_ms } = point
  return Buffer.from(JSON.stringify([`claviger audit ${kind}`, 1, project_id, sequence, mac, at_ms]))
}
