/**
 * What `../tokens/signature-schemes.ts` does, on WebCrypto: the portable build puts this file in its place. All but the
 * HMAC answers with promises, since WebCrypto knows no other way.
 */
import { decodeBase64Url } from '../tokens/base64url.ts'
import type { HashName, SignatureScheme } from '../tokens/signature-schemes.ts'
import { utf8 } from '../tokens/utf8.ts'
import type { ImportedKey, PortableKey } from './crypto.ts'

interface Scheme {
  /** What WebCrypto calls the algorithm of a key. */
  readonly keyed: Readonly<Record<string, string>> & { readonly name: string }
  /** The same, of a signature. */
  readonly signed: Readonly<Record<string, string | number>> & { readonly name: string }
  /** The members that make up a key, with the bytes of those that have so many in every key. */
  readonly members: Readonly<Record<string, number | null>>
}

/** RSASSA-PKCS1-v1_5 (RFC 7518, section 3.3). */
export function rsaPkcs1(hash: HashName): SignatureScheme<PortableKey> {
  const name = 'RSASSA-PKCS1-v1_5'
  return schemeOf({ keyed: { name, hash: HASHES[hash] }, signed: { name }, members: RSA_MEMBERS })
}

/** RSASSA-PSS (RFC 7518, section 3.5): its salt is as long as the digest. */
export function rsaPss(hash: HashName): SignatureScheme<PortableKey> {
  const name = 'RSA-PSS'
  const saltLength = Number(hash.slice(3)) / 8
  return schemeOf({
    keyed: { name, hash: HASHES[hash] },
    signed: { name, saltLength },
    members: RSA_MEMBERS,
  })
}

/** ECDSA (RFC 7518, section 3.4). WebCrypto takes r and s as a token has them. */
export function ecdsa(hash: HashName, integerBytes: number): SignatureScheme<PortableKey> {
  const name = 'ECDSA'
  return schemeOf({
    keyed: { name, namedCurve: integerBytes === 66 ? 'P-521' : `P-${8 * integerBytes}` },
    signed: { name, hash: HASHES[hash] },
    members: { kty: null, crv: null, x: integerBytes, y: integerBytes },
  })
}

/** EdDSA on the curve Ed25519 (RFC 8037). */
export function ed25519(): SignatureScheme<PortableKey> {
  const name = 'Ed25519'
  return schemeOf({ keyed: { name }, signed: { name }, members: { kty: null, crv: null, x: 32 } })
}

/** ML-DSA-65 (FIPS 204). New enough that a runtime which has it can say so; any other has not. */
export function mlDsa65(): SignatureScheme<PortableKey> {
  const name = 'ML-DSA-65'
  const { importKey, verify } = schemeOf({
    keyed: { name },
    signed: { name },
    members: { kty: null, alg: null, pub: 1952 },
  })
  const isSupported = (): boolean =>
    (globalThis as WithSelfAware).SubtleCrypto?.supports?.('verify', name) ?? false
  return { importKey, isSupported, verify }
}

/** HMAC (RFC 2104): its secrets leave no server, so there is none to check with. */
export function hmac(_hash: HashName): SignatureScheme<PortableKey> {
  return {
    importKey: () => {
      throw new TypeError('A secret is in no JWK.')
    },
    isSupported: () => false,
    verify: () => false,
  }
}

/** WebCrypto that tells what it can do (WICG, Modern Algorithms in the Web Cryptography API). */
interface WithSelfAware {
  readonly SubtleCrypto?: { supports?(operation: string, algorithm: string): boolean }
}

const HASHES = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' } as const
const RSA_MEMBERS = { kty: null, n: null, e: null }

function schemeOf({ keyed, signed, members }: Scheme): SignatureScheme<PortableKey> {
  let lacking = false
  const importOnce = async (key: PortableKey): Promise<ImportedKey> => {
    // Kept when it is there, and not as a promise: in a Worker, what one request began may end with it.
    key.imported ??= await crypto.subtle.importKey('jwk', key.jwk, keyed, false, ['verify'])
    return key.imported
  }
  return {
    importKey: (jwk) => ({ jwk: pick(jwk, members), imported: undefined }),
    isSupported: () => !lacking,
    async verify(key, signingInput, signature) {
      // Copies, for this waits: the bytes of a token lie where those of the next one will.
      const input = typeof signingInput === 'string' ? utf8.encode(signingInput) : signingInput.slice()
      const copy = signature.slice()
      try {
        return await crypto.subtle.verify(signed, await importOnce(key), copy, input)
      } catch (error) {
        // Nothing else tells beforehand that a runtime lacks an algorithm, such as an older browser Ed25519.
        lacking ||= Object(error).name === 'NotSupportedError'
        return false
      }
    },
  }
}

/** A JWK with these members alone: WebCrypto is not to judge what else it says, which was checked already. */
function pick(
  jwk: Readonly<Record<string, unknown>>,
  members: Scheme['members'],
): Readonly<Record<string, string>> {
  const picked: Record<string, string> = {}
  for (const [name, bytes] of Object.entries(members)) {
    const value = jwk[name]
    if (typeof value !== 'string' || (bytes !== null && decodeBase64Url(value)?.length !== bytes)) {
      throw new TypeError('The JWK holds no public key.')
    }
    picked[name] = value
  }
  return picked
}
