/**
 * A place in a project's ordered feed of changes, written `epoch:number` (rules C3, E1).
 *
 * An epoch is written `<ordinal>-<random id>`; the ordinal orders epochs, the random id tells two epochs of
 * the same ordinal apart (two nodes that each believed to be the primary).
 */
export interface Position {
  readonly epoch: string
  readonly number: number
}

const EPOCH = /^[1-9][0-9]{0,8}-[0-9A-Za-z]{8}$/
const NUMBER = /^(?:0|[1-9][0-9]{0,15})$/

/** Nearly all positions that are read are of one epoch: it is checked once, and shared. */
let lastEpoch = ''

/** Reads `epoch:number`; undefined when the text is no position. */
export function parsePosition(text: string): Position | undefined {
  const colon = text.indexOf(':')
  const digits = text.slice(colon + 1)
  const number = Number(digits)
  if (colon < 1 || !NUMBER.test(digits) || !Number.isSafeInteger(number)) return undefined
  if (colon !== lastEpoch.length || !text.startsWith(lastEpoch)) {
    const epoch = text.slice(0, colon)
    if (!EPOCH.test(epoch)) return undefined
    lastEpoch = epoch
  }
  return { epoch: lastEpoch, number }
}

export function formatPosition(position: Position): string {
  return `${position.epoch}:${position.number}`
}

/**
 * Negative when `a` is before `b`, positive when after, 0 when they are the same place.
 * Two epochs of one ordinal are ordered by their ids, which is arbitrary but the same everywhere; callers
 * that must not trust a foreign epoch ask {@link isBefore} instead.
 */
export function comparePositions(a: Position, b: Position): number {
  if (a.epoch === b.epoch) return a.number - b.number
  const ordinals = Number.parseInt(a.epoch, 10) - Number.parseInt(b.epoch, 10)
  if (ordinals !== 0) return ordinals
  return a.epoch < b.epoch ? -1 : 1
}

/**
 * Whether a credential issued at `issued` is older than a rule made at `cutoff` (rule V2).
 * A credential of an epoch that is not among `knownEpochs` is older than every rule (rule E3).
 */
export function isBefore(
  issued: Position | undefined,
  cutoff: Position,
  knownEpochs: ReadonlySet<string>,
): boolean {
  if (issued === undefined || !knownEpochs.has(issued.epoch)) return true
  return comparePositions(issued, cutoff) < 0
}
