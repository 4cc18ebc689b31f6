/** Places that a secret may stand at: how many whose digests are so alike a project can have. */
const SPREAD = 128

/** Both ends belong to it. */
export interface FillPlaces {
  readonly first: number
  readonly last: number
}

/**
 * Where in `key_fills` the row of a secret may stand: at the first place, unless others that ask for it came before. It
 * must be the same as the triggers that write the rows have it (storage/migrations/0019-key-fills.ts).
 *
 * The end of a digest counts as its beginning does: digests that somebody counted up for a test are told apart by either.
 * So does the project: one key that many projects import does not fill all places of its digest.
 */
export function placesOf({
  digest,
  projectId,
}: {
  readonly digest: string
  readonly projectId: string
}): FillPlaces {
  const ofDigest = codeOf(digest, 0, 7) + codeOf(digest, digest.length - 4, 4)
  const first = ofDigest + codeOf(projectId, projectId.length - 7, 7)
  return { first, last: first + SPREAD - 1 }
}

/** So many characters from `start` on as the digits of a number below 2^49; those that are missing are 0. */
function codeOf(text: string, start: number, length: number): number {
  let code = 0
  for (let index = start; index < start + length; index++) {
    code = code * 128 + (text.charCodeAt(index) & 127)
  }
  return code
}
