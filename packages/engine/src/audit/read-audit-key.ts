import Type, { type Static } from 'typebox'
import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { type AuditKeys, publicKeyOf } from './audit-keys.ts'

export const AuditKeyView = Type.Object({
  algorithm: Type.Literal('Ed25519'),
  publicJwk: Type.Object({ kty: Type.Literal('OKP'), crv: Type.Literal('Ed25519'), x: Type.String() }),
  pem: Type.String({ description: 'The same as SubjectPublicKeyInfo.' }),
})
export type AuditKeyView = Static<typeof AuditKeyView>

/** The public key that checkpoints are checked with. It is one for the installation, and goes with the master key. */
export async function readAuditKey(scope: Scope): Promise<AuditKeyView> {
  await authorizeRead(scope, 'audit:read')
  return auditKeyView(scope.auditKeys)
}

export function auditKeyView(keys: AuditKeys): AuditKeyView {
  const key = publicKeyOf(keys)
  const { x } = key.export({ format: 'jwk' })
  if (x === undefined) throw new TypeError('the audit key is no Ed25519 key')
  return {
    algorithm: 'Ed25519',
    publicJwk: { kty: 'OKP', crv: 'Ed25519', x },
    pem: key.export({ format: 'pem', type: 'spki' }).toString(),
  }
}
