import { createHmac, type KeyObject } from 'node:crypto'
import type { AuditTable } from '../storage/schema.ts'

/** A place in a project's chain: an entry's number and its MAC. */
export interface ChainPoint {
  readonly sequence: number
  readonly mac: string
}

/** Where each chain begins, before its first entry. */
export const CHAIN_START: ChainPoint = { sequence: 0, mac: '0'.repeat(64) }

export type EntryContent = Omit<AuditTable, 'mac'>

/**
 * The MAC of an entry: HMAC with SHA-256, in hexadecimal, over all its columns and the MAC before it. JSON quotes what it
 * joins, so no two entries give the same text; `detail` goes in as it is stored.
 */
export function macOf(key: KeyObject, entry: EntryContent, previousMac: string): string {
  const content = JSON.stringify([
    'claviger audit entry',
    1,
    entry.project_id,
    entry.sequence,
    entry.at_ms,
    entry.command_id,
    entry.actor,
    entry.action,
    entry.target,
    entry.outcome,
    entry.address,
    entry.request_id,
    entry.detail,
    previousMac,
  ])
  return createHmac('sha256', key).update(content).digest('hex')
}
