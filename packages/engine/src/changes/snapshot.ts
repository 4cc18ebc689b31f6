import {
  addSnapshotRules,
  type ClientFact,
  type KeyShapeFact,
  MAX_TOKEN_LIFE_SECONDS,
  type RevocationFact,
  RevocationRules,
  type RoleFact,
  type SigningAlgorithm,
  type SigningKeyFact,
  type Snapshot,
  type SubjectFact,
} from '@claviger/verify'
import { type Expression, type ExpressionBuilder, type Kysely, type SqlBool, sql } from 'kysely'
import { CodedError } from '../coded-error.ts'
import { loadKeyShapes, shapeOf } from '../key-shapes/key-shape.ts'
import { clientFact } from '../keys/client-fact.ts'
import { readRule, SECRET_KIND, SIGNING_KEY_KIND } from '../revocation/rule-row.ts'
import { MANAGEMENT_PROJECT } from '../scope.ts'
import { issuersFact } from '../signing/public-url.ts'
import type { Schema } from '../storage/schema.ts'
import { OWN_ISSUERS, readSubjectRow, recordOf } from '../subjects/subject-record.ts'

/** Where a snapshot's facts are read: within one transaction, at one time. */
interface SnapshotPlace {
  readonly db: Kysely<Schema>
  readonly projectId: string
  readonly nowMs: number
}

/**
 * Everything that a verifier of the project must know before its first answer, as of one position: all of it is read
 * in one transaction.
 *
 * Keys are not in it, nor rules that concern keys alone, nor rules that no token can meet any more: a key is looked up
 * one by one, and the answer carries its state (rule V7).
 */
export async function readSnapshot(
  reader: Kysely<Schema>,
  { projectId, nowMs }: { readonly projectId: string; readonly nowMs: number },
): Promise<Snapshot> {
  return reader
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (db) => {
      const place = { db, projectId, nowMs }
      const head = await readSnapshotHead(db, place)
      const facts = [...head.facts, ...(await readOtherRules(place))]
      return { ...head, facts, rules: await readRules(place, head.epochs) }
    })
}

/** All of a snapshot but its revocation rules, of which there can be a million: see {@link rulesQuery}. */
export async function readSnapshotHead(
  db: Kysely<Schema>,
  { projectId, nowMs }: { readonly projectId: string; readonly nowMs: number },
): Promise<Snapshot> {
  const place = { db, projectId, nowMs }
  const project = await db.selectFrom('projects').selectAll().where('id', '=', projectId).executeTakeFirst()
  if (project === undefined) throw new CodedError('not_found', 'There is no such project.')
  return {
    project: project.name,
    position: { epoch: project.epoch, number: project.head },
    epochs: await readEpochs(place),
    facts: [
      await issuersFact(db, project.name, nowMs),
      ...(await readSigningKeys(place)),
      ...(await readShapes(place)),
      ...(await readRoles(place)),
      ...(await readSubjects(place)),
      ...(await readClients(place)),
    ],
  }
}

async function readEpochs({ db, projectId }: SnapshotPlace): Promise<string[]> {
  const rows = await db.selectFrom('epochs').select('epoch').where('project_id', '=', projectId).execute()
  const ordinal = (epoch: string): number => Number.parseInt(epoch, 10)
  return rows.map(({ epoch }) => epoch).sort((a, b) => ordinal(a) - ordinal(b))
}

async function readSigningKeys({ db, projectId }: SnapshotPlace): Promise<SigningKeyFact[]> {
  const rows = await db
    .selectFrom('signing_keys')
    .select(['id', 'algorithm', 'status', 'public_jwk', 'tokens_until_ms'])
    .where('project_id', '=', projectId)
    .where('status', '!=', 'retired')
    .execute()
  return rows.map((row) => ({
    type: 'signing-key',
    id: row.id,
    algorithm: row.algorithm as SigningAlgorithm,
    status: row.status,
    publicJwk: JSON.parse(row.public_jwk),
    ...(row.tokens_until_ms === null ? {} : { tokensUntilMs: row.tokens_until_ms }),
  }))
}

async function readShapes(place: SnapshotPlace): Promise<KeyShapeFact[]> {
  const rows = await loadKeyShapes(place)
  return rows.map((row) => ({ type: 'key-shape', name: row.name, shape: shapeOf(row) }))
}

/** Deleted roles are left out: a name that is not known confers nothing (rule R5). */
async function readRoles({ db, projectId }: SnapshotPlace): Promise<RoleFact[]> {
  const rows = await db
    .selectFrom('roles')
    .select(['name', 'permissions'])
    .where('project_id', '=', projectId)
    .where('deleted_at_ms', 'is', null)
    .execute()
  return rows.map(({ name, permissions }) => ({ type: 'role', name, permissions: JSON.parse(permissions) }))
}

async function readSubjects({ db, projectId }: SnapshotPlace): Promise<SubjectFact[]> {
  const rows = await db.selectFrom('subjects').selectAll().where('project_id', '=', projectId).execute()
  return rows.map((row) => ({
    type: 'subject',
    issuer: row.issuer === '' ? null : row.issuer,
    subject: row.subject,
    record: recordOf(readSubjectRow(row)),
  }))
}

/**
 * The keys that tokens of the project may name as their client and that are disabled or counted (rule V5): its own, the
 * management keys that are bound to it, and root keys. A disabled or ended key mints nothing, so one that was not touched
 * for longer than a token lives (and as much again, for clocks) has none left to decide on.
 */
async function readClients({ db, projectId, nowMs }: SnapshotPlace): Promise<ClientFact[]> {
  const sinceMs = nowMs - 2 * MAX_TOKEN_LIFE_SECONDS * 1000
  const disabled = await db
    .selectFrom('keys')
    .select('id')
    // As it stands in the index, which is of those alone.
    .where(sql<boolean>`disabled = 1`)
    .where('changed_at_ms', '>', sinceMs)
    .where(({ and, eb, or }) =>
      or([
        eb('project_id', '=', projectId),
        and([
          eb('project_id', '=', MANAGEMENT_PROJECT),
          or([eb('managed_project_id', '=', projectId), eb('managed_project_id', 'is', null)]),
        ]),
      ]),
    )
    .execute()
  const counted = await db
    .selectFrom('issuing_keys')
    // SQLite keeps the order of a cross join: few keys have issued, and each is looked up.
    .crossJoin('keys')
    .select(['id', 'disabled', 'limits'])
    .whereRef('keys.id', '=', 'issuing_keys.key_id')
    .where('project_id', '=', projectId)
    .where('limits', 'is not', null)
    .where(({ and, eb, or }) =>
      or([
        eb('changed_at_ms', '>', sinceMs),
        and([eb('disabled', '=', 0), eb('revoked_at_ms', 'is', null), eb('deleted_at_ms', 'is', null)]),
      ]),
    )
    .execute()
  const facts = new Map(disabled.map(({ id }) => [id, clientFact({ id, disabled: 1, limits: null })]))
  for (const row of counted) facts.set(row.id, clientFact(row))
  return [...facts.values()]
}

async function readOtherRules(place: SnapshotPlace): Promise<RevocationFact[]> {
  const rows = await otherRulesQuery(place.db, place).execute()
  return rows.map((row) => ({ type: 'revocation', rule: readRule(row) }))
}

/** The simple ones, of which there can be a million: each goes to its place at once. */
async function readRules(place: SnapshotPlace, epochs: readonly string[]): Promise<RevocationRules> {
  const rules = new RevocationRules(new Set(epochs))
  for (let lastId = ''; ; ) {
    const pages = await readSimpleRules(place.db, place, lastId)
    if (pages.length === 0) return rules
    for (const page of pages) {
      addSnapshotRules(rules, JSON.parse(writeRules(page)))
      if (page.lastId > lastId) lastId = page.lastId
    }
  }
}

/** As a line of a snapshot. The database has written the lists as JSON already. */
export function writeRules({ kind, epoch, targets, numbers, untils }: SimpleRules): string {
  const names = JSON.stringify({ type: 'rules', kind, epoch }).slice(0, -1)
  return `${names},"targets":${targets},"numbers":${numbers},"untilsMs":${untils}}`
}

/** The rules that a token can meet. */
export function rulesQuery(
  db: Kysely<Schema>,
  { projectId, nowMs }: { readonly projectId: string; readonly nowMs: number },
) {
  return db
    .selectFrom('revocations')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('kind', 'not in', ['key', SECRET_KIND, SIGNING_KEY_KIND])
    .where('lifted_at_ms', 'is', null)
    .where(({ eb, or }) => or([eb('only', 'is', null), eb('only', '=', 'tokens')]))
    .where(({ eb, or }) => or([eb('tokens_until_ms', 'is', null), eb('tokens_until_ms', '>=', nowMs)]))
}

/** A page of simple rules: those of the project's own issuers that kill one target, or all of it that is older. */
export interface SimpleRules {
  readonly kind: string
  readonly epoch: string
  /** JSON lists of one length: targets, and their rules' numbers and last tokens. */
  readonly targets: string
  readonly numbers: string
  readonly untils: string
  readonly count: number
  readonly lastId: string
}

/** As many as take a millisecond or a few. */
const RULES_A_PAGE = 2_000

/**
 * The next simple rules by their ids, a row for each kind and epoch; none: there are no more. The database writes the
 * lists, several times faster than a row a rule could be read.
 */
export async function readSimpleRules(
  db: Kysely<Schema>,
  place: { readonly projectId: string; readonly nowMs: number },
  afterId: string,
): Promise<SimpleRules[]> {
  const page = rulesQuery(db, place)
    .where(isSimple)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(RULES_A_PAGE)
  return db
    .selectFrom(page.as('page'))
    .select(({ fn }) => [
      'kind',
      'epoch',
      sql<string>`json_group_array(target)`.as('targets'),
      sql<string>`json_group_array(number)`.as('numbers'),
      sql<string>`json_group_array(tokens_until_ms)`.as('untils'),
      fn.countAll<number>().as('count'),
      fn.max('id').as('lastId'),
    ])
    .groupBy(['kind', 'epoch'])
    .execute()
}

/** The rules of {@link rulesQuery} that are not among {@link readSimpleRules}. */
export function otherRulesQuery(
  db: Kysely<Schema>,
  place: { readonly projectId: string; readonly nowMs: number },
) {
  return rulesQuery(db, place).where((builder) => builder.not(isSimple(builder)))
}

function isSimple({ eb, and, or }: ExpressionBuilder<Schema, 'revocations'>): Expression<SqlBool> {
  return and([
    eb('issuer', '=', OWN_ISSUERS),
    or([
      eb('kind', 'in', ['token', 'session']),
      and([
        eb('kind', 'in', ['subject', 'client']),
        eb('ban', '=', 0),
        eb('only', 'is', null),
        eb('issued_before_ms', 'is', null),
      ]),
    ]),
  ])
}
