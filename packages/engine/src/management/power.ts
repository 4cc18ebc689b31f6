import type { KeyRow } from '../keys/key.ts'
import { ROOT_GRANTS, VERBS } from './verbs.ts'

/** What a management key may do and hand out (rule M1). */
export interface Power {
  readonly verbs: readonly string[]
  readonly grants: readonly string[]
}

/** A root key has every verb, those too that came after it was made. */
export function powerOf(row: Pick<KeyRow, 'managed_project_id' | 'verbs' | 'grants'>): Power {
  if (row.verbs !== null && row.managed_project_id === null) return { verbs: VERBS, grants: ROOT_GRANTS }
  return { verbs: JSON.parse(row.verbs ?? '[]'), grants: JSON.parse(row.grants ?? '[]') }
}
