import type { AuditEntryPage, AuditVerification } from '@claviger/client'
import { printRecord, printTable } from './output.ts'

export function printAuditEntries({ items, nextCursor }: AuditEntryPage): void {
  printTable(
    ['NUMBER', 'AT', 'ACTOR', 'ACTION', 'TARGET', 'OUTCOME', 'ADDRESS', 'DETAIL'],
    items.map((entry) => [
      String(entry.sequence),
      entry.at,
      entry.actor,
      entry.action,
      entry.target,
      entry.outcome,
      entry.address,
      JSON.stringify(entry.detail),
    ]),
  )
  if (nextCursor !== null) console.log(`\nThere are more: --cursor ${nextCursor}`)
}

export function printAuditVerification(report: AuditVerification): void {
  const { fault } = report
  printRecord([
    ['project', report.projectId],
    ['result', fault === null ? 'intact' : `entry ${fault.sequence}: ${fault.problem}`],
    ...(fault === null ? [] : [['detail', fault.detail] as const]),
    ['entries checked', String(report.entries)],
    ['last entry', String(report.lastSequence)],
    ['pruned through', report.prunedThrough === null ? null : String(report.prunedThrough)],
    ['checkpoints', String(report.checkpoints)],
    ['vouched through', report.checkpointedThrough === null ? null : String(report.checkpointedThrough)],
  ])
}
