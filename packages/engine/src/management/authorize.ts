import { covers, coversAll, isPermission } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import type { Actor, CommandContext } from '../commands/command.ts'
import type { KeyPlace } from '../keys/key.ts'
import { isKilled } from '../revocation/killed-keys.ts'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import { type Parameter, PreparedQuery } from '../storage/prepared-query.ts'
import { ForeignProject } from './foreign-project.ts'
import { type Power, powerOf } from './power.ts'
import { ROOT_GRANTS, VERBS, type Verb } from './verbs.ts'

/** What the caller may do and hand out, as of the transaction that asks. */
export interface Rights {
  readonly verbs: ReadonlySet<string>
  readonly grants: readonly string[]
  /** The project that the caller is bound to; null: every project (root, the embedding program, the node). */
  readonly boundTo: string | null
}

/** What rights are read from: a command's context, or a reader at the present time. */
export type RightsSource = Pick<CommandContext, 'db' | 'nowMs' | 'actor'>

const ALL_RIGHTS: Rights = { verbs: new Set(VERBS), grants: ROOT_GRANTS, boundTo: null }

/** Every call of a management key asks for it. */
const keyQuery = new PreparedQuery((db, parameter: Parameter<{ id: string }>) =>
  db
    .selectFrom('keys')
    .selectAll()
    .where('id', '=', parameter('id'))
    .where('project_id', '=', MANAGEMENT_PROJECT),
)

/** Every call over HTTP asks for the text that it was authenticated by. */
const secretQuery = new PreparedQuery((db, parameter: Parameter<{ digest: string; keyId: string }>) =>
  db
    .selectFrom('key_secrets')
    .select(['valid_until_ms', 'revoked_at_ms'])
    .where('digest', '=', parameter('digest'))
    .where('key_id', '=', parameter('keyId')),
)

/** A caller as the database has it, apart from the hour. */
export interface Caller extends Rights {
  /** The end of the overlap of the text that was presented; null: it is the current one, or none was. */
  readonly secretUntilMs: number | null
  readonly notBeforeMs: number | null
  readonly expiresAtMs: number | null
}

/** Throws `unauthenticated` for a management key that was revoked, disabled or deleted. */
export async function readCaller({ db, actor }: Pick<RightsSource, 'db' | 'actor'>): Promise<Caller> {
  if (actor.kind !== 'management-key')
    return { ...ALL_RIGHTS, secretUntilMs: null, notBeforeMs: null, expiresAtMs: null }
  const [key] = await keyQuery.execute(db, { id: actor.keyId })
  // A key without verbs is a customer's, and never manages (rule M4).
  if (key === undefined || key.verbs === null) throw unauthenticated()
  if (key.revoked_at_ms !== null || key.deleted_at_ms !== null || key.disabled !== 0) throw unauthenticated()
  if (await isKilled(db, key)) throw unauthenticated()
  const { verbs, grants } = powerOf(key)
  return {
    verbs: new Set(verbs),
    grants,
    boundTo: key.managed_project_id,
    secretUntilMs: await readSecretEnd(db, actor),
    notBeforeMs: key.not_before_ms,
    expiresAtMs: key.expires_at_ms,
  }
}

/** The caller's rights, once it is known that it may use them now and has the verb in the project (rules M1, M2). */
export function authorizeCaller(
  caller: Caller,
  { nowMs, projectId, verb }: { nowMs: number; projectId: string; verb: Verb },
): Rights {
  requireInTime(caller, nowMs)
  requireProject(caller, projectId)
  requireVerb(caller, verb)
  return caller
}

/**
 * Reads the caller's rights. Inside a command it reads them in the command's transaction, so that nothing
 * commits for a management key after its revocation was acknowledged. Throws `unauthenticated` then.
 */
export async function loadRights(source: RightsSource): Promise<Rights> {
  const caller = await readCaller(source)
  requireInTime(caller, source.nowMs)
  return caller
}

/** The caller's rights, once it is known to have the verb in the project (rules M1, M2). */
export async function authorize(source: RightsSource, projectId: string, verb: Verb): Promise<Rights> {
  return authorizeCaller(await readCaller(source), { nowMs: source.nowMs, projectId, verb })
}

/** For what only reads, and for what reads before its command runs: the same, from memory where that is current. */
export async function authorizeRead(
  { callers, clock, actor, projectId }: Pick<Scope, 'callers' | 'clock' | 'actor' | 'projectId'>,
  verb: Verb,
): Promise<Rights> {
  const caller = await callers.read(actor)
  return authorizeCaller(caller, { nowMs: clock.nowMs(), projectId, verb })
}

/** As {@link authorizeRead}, for what is about no project: it has its own idea of who may. */
export async function currentRights({
  callers,
  clock,
  actor,
}: Pick<Scope, 'callers' | 'clock' | 'actor'>): Promise<Rights> {
  const caller = await callers.read(actor)
  requireInTime(caller, clock.nowMs())
  return caller
}

/** A bound key sees no other project: for it there is none (rule M2). */
export function requireProject(rights: Rights, projectId: string): void {
  if (rights.boundTo === null || rights.boundTo === projectId) return
  throw new ForeignProject('The management key sees no such project.')
}

export function requireVerb(rights: Rights, verb: Verb): void {
  if (rights.verbs.has(verb)) return
  throw new CodedError('forbidden', `The management key lacks the verb \`${verb}\`. Use one that has it.`)
}

/** Refuses to hand out what the caller's grants do not cover (rule M3). `what` names the target for a person. */
export function requireGrants(rights: Rights, permissions: readonly string[], what: string): void {
  // Most of those who mint may grant whatever there is.
  if (rights.grants.includes('*:*') && permissions.every(isPermission)) return
  if (coversAll(rights.grants, permissions)) return
  const exceeding = permissions.find(
    (permission) => !rights.grants.some((grant) => covers(grant, permission)),
  )
  throw new CodedError(
    'exceeds_grants',
    `The management key's grants do not cover \`${exceeding}\`, which ${what} holds or would hold.`,
  )
}

/** Refuses to hand out power that the caller does not have itself: verbs as well as grants (rule M3). */
export function requirePower(rights: Rights, { verbs, grants }: Power): void {
  const exceeding = verbs.find((verb) => !rights.verbs.has(verb))
  if (exceeding !== undefined) {
    throw new CodedError(
      'exceeds_grants',
      `The management key lacks the verb \`${exceeding}\`, so it cannot hand it out.`,
    )
  }
  requireGrants(rights, grants, 'the management key')
}

/** The management keys that the caller sees: those of its own project, or all (rules M1, M2). */
export function managementPlace(rights: Rights): KeyPlace {
  return { kind: 'management', projectId: MANAGEMENT_PROJECT, boundTo: rights.boundTo }
}

/**
 * Until when the text works that the request was authenticated by. It is asked again here, for between its first byte and
 * its last a request may take half a minute (rules V2, V6). Throws `unauthenticated` once it was revoked.
 */
async function readSecretEnd(
  db: RightsSource['db'],
  { keyId, digest }: Extract<Actor, { kind: 'management-key' }>,
): Promise<number | null> {
  if (digest === undefined) return null
  const [secret] = await secretQuery.execute(db, { digest, keyId })
  if (secret === undefined || secret.revoked_at_ms !== null) throw unauthenticated()
  return secret.valid_until_ms
}

function requireInTime({ notBeforeMs, expiresAtMs, secretUntilMs }: Caller, nowMs: number): void {
  if (secretUntilMs !== null && secretUntilMs <= nowMs) throw unauthenticated()
  if (expiresAtMs !== null && expiresAtMs <= nowMs) throw unauthenticated()
  if (notBeforeMs !== null && notBeforeMs > nowMs) throw unauthenticated()
}

function unauthenticated(): CodedError {
  return new CodedError(
    'unauthenticated',
    'The management key is not valid any more: it was revoked, disabled or has expired.',
  )
}
