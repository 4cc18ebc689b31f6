import {
  type AuditVerification,
  examineBackup,
  examineJournal,
  JOURNAL_DAYS,
  type JournalFacts,
  openOfflineAudit,
} from '@claviger/engine'
import { type Check, fault, ok, warning } from './check.ts'

const DAY_MS = 86_400_000
/** What was created since a backup is lost with it. */
const OLD_BACKUP_DAYS = 7

export interface HistoryPlace {
  /** `sqlite:FILE`; the file exists. */
  readonly database: string
  /** `CLAVIGER_MASTER_KEY`, when it is set. */
  readonly masterKey: string | undefined
  /** A backup to look at, if one was named. */
  readonly backup: string | undefined
  readonly nowMs: number
}

/** What tells of the past: the journal, the audit and a backup. It needs the right master key. */
export async function checkHistory(place: HistoryPlace): Promise<readonly Check[]> {
  const checks: Check[] = []
  for (const [name, check] of [
    ['journal', checkJournal],
    ['audit', checkAudit],
    ['backup', checkBackup],
  ] as const) {
    try {
      const found = await check(place)
      if (found !== undefined) checks.push(found)
    } catch (error) {
      checks.push(fault(name, error instanceof Error ? error.message : String(error)))
    }
  }
  return checks
}

async function checkJournal(place: HistoryPlace): Promise<Check | undefined> {
  const facts = await examineJournal(place)
  return facts === undefined ? undefined : judgeJournal(facts)
}

function judgeJournal({ folder, state, damage, lastEntryAtMs }: JournalFacts): Check {
  const begin =
    'Until there is another, a restore knows of nothing that is revoked. Restart the server, which begins one, and take a backup.'
  switch (state) {
    case 'missing':
      return fault('journal', `There is no journal in ${folder}. ${begin}`)
    case 'cut':
      return fault('journal', `The journal in ${folder} ends before the database does: it was cut. ${begin}`)
    case 'ahead':
      return fault(
        'journal',
        `The database is older than its journal in ${folder}: it was put back by hand. Stop the server and run: claviger restore`,
      )
    case 'foreign':
      return fault(
        'journal',
        `The journal in ${folder} is of another installation. Put the right one there, or move this one away.`,
      )
    case 'damaged':
      return fault('journal', damage ?? `The journal in ${folder} is damaged.`)
    case 'fits': {
      const last =
        lastEntryAtMs === null ? '' : ` Its last entry is of ${new Date(lastEntryAtMs).toISOString()}.`
      return ok(
        'journal',
        `The journal goes as far as the database.${last} Copy it more often than you back up.`,
      )
    }
  }
}

async function checkAudit({ database, masterKey }: HistoryPlace): Promise<Check> {
  const audit = await openOfflineAudit({ database, ...(masterKey === undefined ? {} : { masterKey }) })
  try {
    return judgeAudit(await audit.verify({}))
  } finally {
    audit.close()
  }
}

function judgeAudit(reports: readonly AuditVerification[]): Check {
  const bad = reports.filter(({ fault }) => fault !== null)
  if (bad.length > 0) {
    const faults = bad.map((report) => `${report.projectId}: ${report.fault?.detail}`).join(' ')
    return fault(
      'audit',
      `The audit is not as it was written. ${faults} Keep a copy of the data folder, and compare it with what left by the log: claviger audit verify --offline --checkpoint FILE`,
    )
  }
  const entries = reports.reduce((sum, report) => sum + report.entries, 0)
  return ok('audit', `All ${entries} entries of the audit stand as they were written.`)
}

/** A backup leaves no mark in the database, and may lie anywhere: it must be named. */
async function checkBackup(place: HistoryPlace): Promise<Check> {
  const { backup, nowMs } = place
  if (backup === undefined) {
    return warning(
      'backup',
      'When the last backup was taken is not known here. Take one with claviger backup FILE, and name it: --backup FILE',
    )
  }
  const { takenAtMs } = await examineBackup({ ...place, file: backup })
  const days = Math.floor((nowMs - takenAtMs) / DAY_MS)
  const whole = `${backup} is whole, and of this installation. It was taken on ${new Date(takenAtMs).toISOString()}`
  if (days > JOURNAL_DAYS) {
    return fault(
      'backup',
      `${whole}, before all that the journal still knows. Take another: claviger backup FILE`,
    )
  }
  return days > OLD_BACKUP_DAYS
    ? warning('backup', `${whole}, ${days} days ago. Take another: claviger backup FILE`)
    : ok('backup', `${whole}.`)
}
