import type { KeyPlace, KeyRow } from '../keys/key.ts'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import { type Rights, requireGrants, requireVerbsToGive } from './authorize.ts'

/** The management keys that the caller sees: those of its own project, or all (rules M1, M2). */
export function managementPlace(rights: Rights): KeyPlace {
  return { kind: 'management', projectId: MANAGEMENT_PROJECT, boundTo: rights.boundTo }
}

/** What a management key may do and hand out. */
export interface Power {
  readonly verbs: readonly string[]
  readonly grants: readonly string[]
}

export function powerOf(row: KeyRow): Power {
  return { verbs: JSON.parse(row.verbs ?? '[]'), grants: JSON.parse(row.grants ?? '[]') }
}

/** Refuses to hand out power that the caller does not have itself (rule M3). */
export function requirePower(rights: Rights, power: Power): void {
  requireVerbsToGive(rights, power.verbs)
  requireGrants(rights, power.grants, 'the management key')
}
