import { ALGORITHMS, type SigningAlgorithm } from './algorithms.ts'

/** Every `alg` that the header of a token of ours may carry: the names of the algorithms, and older ones. */
export type HeaderAlgorithm = SigningAlgorithm | 'EdDSA'

export const HEADER_ALGORITHMS: readonly HeaderAlgorithm[] = Object.freeze([
  ...(Object.keys(ALGORITHMS) as SigningAlgorithm[]),
  'EdDSA',
])

export function isHeaderAlgorithm(name: string): name is HeaderAlgorithm {
  return HEADER_ALGORITHMS.some((known) => known === name)
}

/** The algorithm of the keys that sign under this name. */
export function signingAlgorithmOf(name: HeaderAlgorithm): SigningAlgorithm {
  return name === 'EdDSA' ? 'Ed25519' : name
}
