import { ALGORITHMS, acceptsHeader, isSigningAlgorithm, type SigningAlgorithm } from '../tokens/algorithms.ts'
import { prepareVerificationKey, type VerificationKey } from '../tokens/verification-key.ts'
import type { Checklist } from './checklist.ts'

/** More keys than any issuer publishes: the rest is not looked at. */
const MAX_KEYS = 1000

interface SignedToken {
  /** Undefined: the header names none. */
  readonly kid: string | undefined
  readonly alg: string | undefined
  readonly signingInput: string
  readonly signature: Uint8Array
}

const FETCH_ANEW =
  'Ask the issuer for a new token; if the JWKS is older than the token, fetch the JWKS anew as well.'

/** Looks the signing key up in the JWKS, and checks that it is of the token's algorithm and that it signed the token. */
export function inspectSignature(token: SignedToken, jwks: unknown, list: Checklist): void {
  const keys = findKeys(token, jwks, list)
  list.leave(['signing_key', 'algorithm', 'signature'], 'There is no key to check it with.')
  if (keys.length === 0) return
  list.holds('signing_key', 'The JWKS has the key that the token names.')
  const { alg } = token
  const fitting = keys.filter((key) => alg !== undefined && acceptsHeader(key.algorithm, alg))
  if (fitting.length === 0) {
    const algorithms = [...new Set(keys.map((key) => key.algorithm))].join(' or ')
    list.fails(
      'algorithm',
      `The key signs with ${algorithms}, and the token says ${alg ?? 'nothing of that'}.`,
      'The key decides, not the token (RFC 8725). Ask the issuer for a token whose `alg` is its key’s.',
    )
    list.unchecked('signature', 'The algorithm is not the key’s.')
    return
  }
  list.holds('algorithm', 'The algorithm is the key’s own.')
  if (fitting.some((key) => key.verify(token.signingInput, token.signature) === true)) {
    list.holds('signature', 'The key signed exactly this header and payload.')
  } else {
    list.fails(
      'signature',
      'The signature does not fit. The token was altered, or signed by somebody else.',
      'Copy the token again, whole. If it still does not fit, do not trust it: ask the issuer for a new one.',
    )
  }
}

/** The keys that the token names, usually one; none, and the reason noted, where there is none to be used. */
function findKeys({ kid, alg }: SignedToken, jwks: unknown, list: Checklist): VerificationKey[] {
  const keys = keysOf(jwks)
  if (keys === undefined) {
    const why =
      jwks === undefined
        ? 'No signing keys were given. Give the JWKS of the issuer to check it.'
        : 'What was given as JWKS is none: it has no list `keys`.'
    list.leave(['signing_key', 'algorithm', 'signature'], why)
    return []
  }
  const named = keys.filter((jwk) => kid !== undefined && jwk.kid === kid)
  const prepared = named.flatMap((jwk) => prepareAll(jwk))
  const usable = prepared.filter((key) => typeof key !== 'string')
  if (usable.length > 0) return usable
  if (named.length > 0) {
    const why = prepared.find((key) => typeof key === 'string') ?? 'It is of no algorithm that is known here.'
    const remedy = 'Ask the issuer to publish a sound key.'
    list.fails('signing_key', `The key of the JWKS cannot be used. ${why}`, remedy)
  } else if (kid === undefined) {
    list.unchecked('signing_key', 'The token names no signing key.')
  } else if (alg !== undefined && isSecretAlgorithm(alg)) {
    list.unchecked('signing_key', `Only who holds the shared secret can check ${alg}; no JWKS has it.`)
  } else {
    list.fails('signing_key', 'The JWKS has no key with the `kid` of the token.', FETCH_ANEW)
  }
  return []
}

function keysOf(jwks: unknown): Record<string, unknown>[] | undefined {
  if (!isObject(jwks) || !Array.isArray(jwks.keys)) return undefined
  return jwks.keys.slice(0, MAX_KEYS).filter(isObject)
}

/** The key once for each algorithm that it may serve; a text says why it may not. */
function prepareAll(jwk: Record<string, unknown>): (VerificationKey | string)[] {
  if (jwk.kty === 'oct') return ['It is a shared secret, which must not be in a JWKS.']
  return algorithmsOf(jwk).map((algorithm) => {
    try {
      return prepareVerificationKey({ id: String(jwk.kid), algorithm, publicJwk: jwk })
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  })
}

/** A JWK need not say its algorithm; its type and curve leave a few. */
function algorithmsOf(jwk: Record<string, unknown>): SigningAlgorithm[] {
  return allAlgorithms().filter((algorithm) => {
    const { keyType, curve, acceptedNames } = ALGORITHMS[algorithm]
    if (jwk.kty !== keyType || (curve !== null && jwk.crv !== curve)) return false
    return jwk.alg === undefined || acceptedNames.some((name) => name === jwk.alg)
  })
}

function isSecretAlgorithm(alg: string): boolean {
  return allAlgorithms().some((algorithm) => ALGORITHMS[algorithm].symmetric && acceptsHeader(algorithm, alg))
}

function allAlgorithms(): SigningAlgorithm[] {
  return Object.keys(ALGORITHMS).filter(isSigningAlgorithm)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
