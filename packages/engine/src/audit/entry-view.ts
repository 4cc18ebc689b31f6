import Type, { type Static } from 'typebox'
import type { AuditTable } from '../storage/schema.ts'
import { formatTime, Time } from '../time.ts'

const entryMembers = {
  sequence: Type.Integer({
    description: "The entry's number in its project: 1 for the first, without gaps.",
  }),
  at: Time,
  actor: Type.String({
    description:
      "A management key's id, `embedder` for the embedding program, `installation` for the node itself, `anonymous` for callers without a known key.",
  }),
  action: Type.String({
    description: 'What was done: `key.create`, `role.put` …; `call.refuse` of a refused call.',
  }),
  target: Type.String({
    description: 'The id or name of what it was done to; of a refused call: its method and route.',
  }),
  outcome: Type.Enum(['done', 'refused']),
  address: Type.Union([Type.String(), Type.Null()], {
    description: "The client's address. Null: the call came from the node itself, or from several.",
  }),
  requestId: Type.Union([Type.String(), Type.Null()], {
    description: 'The request, as the log and `Claviger-Request-Id` name it.',
  }),
  commandId: Type.String({ description: 'Entries and changes of one command share it.' }),
}

export const AuditEntryView = Type.Object({
  ...entryMembers,
  detail: Type.Record(Type.String(), Type.Unknown()),
})
export type AuditEntryView = Static<typeof AuditEntryView>

/** An entry with all that its MAC is computed over: `detail` as the text that was stored. */
export const ChainedAuditEntry = Type.Object({
  ...entryMembers,
  detail: Type.String({ description: 'JSON, letter by letter as it was stored: the MAC covers it so.' }),
  mac: Type.String({
    description: 'HMAC with SHA-256 over the entry and the MAC before it, in hexadecimal.',
  }),
})
export type ChainedAuditEntry = Static<typeof ChainedAuditEntry>

export function entryView(row: AuditTable): AuditEntryView {
  return { ...membersOf(row), detail: JSON.parse(row.detail) }
}

export function chainedEntry(row: AuditTable): ChainedAuditEntry {
  return { ...membersOf(row), detail: row.detail, mac: row.mac }
}

/** The row that an entry of an export was. */
export function rowOf(entry: ChainedAuditEntry, projectId: string): AuditTable {
  return {
    project_id: projectId,
    sequence: entry.sequence,
    at_ms: Date.parse(entry.at),
    command_id: entry.commandId,
    actor: entry.actor,
    action: entry.action,
    target: entry.target,
    outcome: entry.outcome,
    address: entry.address,
    request_id: entry.requestId,
    detail: entry.detail,
    mac: entry.mac,
  }
}

function membersOf(row: AuditTable): Omit<AuditEntryView, 'detail'> {
  return {
    sequence: row.sequence,
    at: formatTime(row.at_ms),
    actor: row.actor,
    action: row.action,
    target: row.target,
    outcome: row.outcome,
    address: row.address,
    requestId: row.request_id,
    commandId: row.command_id,
  }
}
