import type { Fact } from '@claviger/verify'
import type { Kysely } from 'kysely'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import type { ChangeTable, Schema } from '../storage/schema.ts'

const positionOf = new PreparedQuery((db, parameter: Parameter<{ keyId: string }>) =>
  db.selectFrom('keys').select('pos').where('id', '=', parameter('keyId')),
)

/**
 * Whether a change may take something away, and so belongs into the journal (rule B1). It is decided here alone, by what
 * the change tells verifiers: what is not known to give only, counts. So does a change that tells nothing.
 */
export async function takesAway(db: Kysely<Schema>, change: ChangeTable): Promise<boolean> {
  const facts: readonly Fact[] = JSON.parse(change.facts)
  if (facts.length === 0) return true
  for (const fact of facts) {
    if (!(await givesOnly(db, change, fact))) return true
  }
  return false
}

async function givesOnly(db: Kysely<Schema>, change: ChangeTable, fact: Fact): Promise<boolean> {
  switch (fact.type) {
    // A key that stands at this very change was created by it. Any other key was changed.
    case 'key': {
      const [key] = await positionOf.execute(db, { keyId: fact.id })
      return key?.pos === `${change.epoch}:${change.number}`
    }
    // What a key signed before it was superseded still passes; and no restore brings a signing key back.
    case 'signing-key':
      return fact.status !== 'retired'
    case 'issuers':
    case 'audit-checkpoint':
    case 'import':
      return true
    case 'key-shape':
      return fact.shape !== null
    default:
      return false
  }
}
