import type { SnapshotRules } from '../wire/snapshot-lines.ts'
import type { RevocationRules } from './revocation-rules.ts'

/** Adds the rules of a line of a snapshot. Answers how many there were; throws a TypeError for a line that lacks parts. */
export function addSnapshotRules(
  rules: RevocationRules,
  { kind, epoch, targets, numbers, untilsMs }: SnapshotRules,
): number {
  for (const [index, target] of targets.entries()) {
    const number = numbers[index]
    const tokensUntilMs = untilsMs[index]
    if (number === undefined || tokensUntilMs === undefined)
      throw new TypeError('A line lacks parts of rules.')
    const id = `${kind} ${number}`
    const position = { epoch, number }
    rules.add({ ...SIMPLE, id, kind, target, position, tokensUntilMs })
  }
  return targets.length
}

/** What all rules have in common that stand in one line. */
const SIMPLE = { issuer: null, only: null, ban: false, issuedBeforeMs: null } as const
