import type { RevocationKind } from '../changes/change.ts'

/** So that one text as a token's id and as a subject are two things. */
export const KIND_NUMBERS: Readonly<Record<RevocationKind, number>> = {
  token: 1,
  session: 2,
  key: 3,
  subject: 4,
  client: 5,
  everything: 6,
}

/** Of the whole text, 32 bits of which each counts. Nobody who chooses targets can choose where they fall: the seed is random. */
export function targetHash(seed: number, kind: RevocationKind, target: string): number {
  let hash = seed ^ KIND_NUMBERS[kind]
  for (let index = 0; index < target.length; index++) {
    const mixed = Math.imul(hash ^ target.charCodeAt(index), 0xcc9e2d51)
    hash = (mixed << 15) | (mixed >>> 17)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
