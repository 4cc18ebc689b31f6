import type { Random } from '../random.ts'
import { randomBase62 } from '../random.ts'

const RANDOM_LENGTH = 8

/** The id of a project's first epoch (rule E1): `1-` and eight random characters. */
export function firstEpoch(random: Random): string {
  return epochId(1, random)
}

/** The id of the epoch that follows `epoch`: its ordinal is one higher, its random part is new. */
export function nextEpoch(epoch: string, random: Random): string {
  const ordinal = Number.parseInt(epoch, 10)
  if (!Number.isSafeInteger(ordinal) || ordinal < 1) throw new TypeError(`${epoch} is no epoch`)
  return epochId(ordinal + 1, random)
}

function epochId(ordinal: number, random: Random): string {
  return `${ordinal}-${randomBase62(RANDOM_LENGTH, random)}`
}
