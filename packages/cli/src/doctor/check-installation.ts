import type { InstallationFacts } from '@claviger/engine'
import { type Check, fault, ok, warning } from './check.ts'

/** As `claviger start` has it: what is further behind is refused there. */
const MAX_CLOCK_BEHIND_MS = 60_000
const NOTED_CLOCK_BEHIND_MS = 2_000

/** What the facts of the database mean. */
export function judgeInstallation(facts: InstallationFacts, nowMs: number): readonly Check[] {
  return [
    judgeClock(facts, nowMs),
    judgeMasterKey(facts),
    judgeDatabase(facts),
    judgeLock(facts),
    ...judgeKeys(facts),
  ]
}

function judgeClock({ lastCommitAtMs }: InstallationFacts, nowMs: number): Check {
  const behindMs = lastCommitAtMs - nowMs
  const behind = `The clock is ${Math.ceil(behindMs / 1000)} s behind the last change.`
  if (behindMs > MAX_CLOCK_BEHIND_MS) {
    return fault('clock', `${behind} The server refuses to start: set the clock right.`)
  }
  if (behindMs > NOTED_CLOCK_BEHIND_MS) return warning('clock', `${behind} Have it set by network time.`)
  return ok('clock', 'The clock is not behind the last change.')
}

function judgeMasterKey({ masterKey, masterKeyFrom }: InstallationFacts): Check {
  const place = masterKeyFrom === 'environment' ? 'CLAVIGER_MASTER_KEY' : 'The file master-key'
  switch (masterKey) {
    case 'none':
      return fault(
        'master-key',
        'There is no master key: put the file master-key back, or set CLAVIGER_MASTER_KEY.',
      )
    case 'malformed':
      return fault('master-key', `${place} is no master key: 32 bytes as base64url, 43 characters.`)
    case 'wrong':
      return fault('master-key', `${place} is not the key that this database was made with.`)
    case 'right':
      return masterKeyFrom === 'environment'
        ? ok('master-key', 'The master key comes from CLAVIGER_MASTER_KEY and fits.')
        : ok('master-key', 'The file master-key fits. Who copies the folder has it too: keep copies apart.')
  }
}

function judgeDatabase({ journalMode, version }: InstallationFacts): Check {
  return journalMode === 'wal'
    ? ok('database', `The database is of version ${version} and keeps a write-ahead log.`)
    : fault('database', `The database keeps no write-ahead log (${journalMode}). Restore it from a backup.`)
}

function judgeLock({ heldBy }: InstallationFacts): Check {
  return heldBy === null
    ? ok('lock', 'No process has the data folder.')
    : ok('lock', `Process ${heldBy} has the data folder.`)
}

function judgeKeys(facts: InstallationFacts): readonly Check[] {
  const { liveRootKeys, managementKeysWithoutExpiry, keysWithoutExpiry, keysWithoutLimits } = facts
  const checks: Check[] = []
  if (liveRootKeys > 1) {
    checks.push(
      warning('root-keys', `${liveRootKeys} root keys are valid. One will do: claviger root-key reset`),
    )
  }
  if (managementKeysWithoutExpiry > 0) {
    checks.push(
      warning(
        'management-keys',
        `Management keys without an expiry: ${managementKeysWithoutExpiry}. See: claviger management-keys list`,
      ),
    )
  }
  checks.push(
    keysWithoutExpiry === 0
      ? ok('keys', 'Every active key has an expiry.')
      : warning('keys', `Active keys without an expiry: ${keysWithoutExpiry}. See: claviger keys review`),
  )
  if (keysWithoutLimits !== null) {
    checks.push(
      keysWithoutLimits === 0
        ? ok('limits', 'Every active key has a limit, its own or its subject’s.')
        : warning(
            'limits',
            `Active keys that nothing limits: ${keysWithoutLimits}. See: claviger keys list --status active --unlimited`,
          ),
    )
  }
  return checks
}
