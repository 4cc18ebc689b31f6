import { formatPosition, type Position, parseStrictJson, signingAlgorithmOf } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'
import type { Actor } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { requireGrants } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import { newId } from '../random.ts'
import { MAX_TOKEN_LIFE_SECONDS } from '../revocation/add-rule.ts'
import { checkScopes, distinct, PermissionList, RoleNameList, ScopeList } from '../roles/rights-input.ts'
import type { Scope } from '../scope.ts'
import type { Keyring } from '../signing/keyring.ts'
import { TokenAlgorithm } from '../signing/token-algorithm.ts'
import { SubjectId } from '../subjects/subject-input.ts'
import { formatTime, Time } from '../time.ts'
import { CustomClaims, checkClaims } from './custom-claims.ts'
import type { MintFacts } from './mint-facts.ts'

const DEFAULT_TTL_SECONDS = 600
const MAX_AUDIENCES = 20

/** The `client_id` of tokens that the embedding program mints. */
const EMBEDDED_CLIENT = 'embedded'

const Audience = Type.String({ minLength: 1, maxLength: 255 })

export const MintTokenInput = Type.Object(
  {
    subject: SubjectId,
    audience: Type.Union([Audience, Type.Array(Audience, { minItems: 1, maxItems: MAX_AUDIENCES })], {
      description:
        'Which services the token is meant for: a verifier takes only what names its own audience.',
    }),
    ttlSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_TOKEN_LIFE_SECONDS,
        description: `How long the token lives; ${DEFAULT_TTL_SECONDS} if absent.`,
      }),
    ),
    scopes: Type.Optional(ScopeList),
    roles: Type.Optional(RoleNameList),
    permissions: Type.Optional(PermissionList),
    claims: Type.Optional(CustomClaims),
    algorithm: Type.Optional(
      Type.With(TokenAlgorithm, {
        description:
          "What it is signed with; the project's own algorithm if absent. EdDSA is Ed25519 under its older name; HS256 is verified by this server alone.",
      }),
    ),
  },
  { additionalProperties: false },
)
export type MintTokenInput = Static<typeof MintTokenInput>

export const MintedToken = Type.Object({
  id: Type.String({ description: 'Its `jti`.' }),
  credential: Type.String(),
  expiresAt: Time,
})
export type MintedToken = Static<typeof MintedToken>

export interface MintScope extends Scope {
  readonly keyring: Keyring
  readonly mintFacts: MintFacts
  /** Resolves once this process's own verifier of the project has applied the position (rule V2), and so knows the key. */
  readonly waitForApplied: (position: Position) => Promise<void>
}

/**
 * Mints an access token (RFC 9068), signed on the thread pool. It writes no row. Handing out rights needs grants that
 * cover them, roles by what they confer now (rule M3).
 *
 * Its `pos` is the head as it was before anything was read that lets the caller mint, so whatever takes that away comes
 * after it and kills the token (rule V2). SQLite reads the head in microseconds: concurrent mints need not share one.
 */
export async function mintToken(scope: MintScope, input: unknown): Promise<MintedToken> {
  requireCustomerProject(scope)
  const facts = await scope.mintFacts.current(scope)
  const { position } = facts
  const nowMs = scope.clock.nowMs()
  const rights = await facts.rights(scope)
  const fields = parseInput(MintTokenInput, input)
  const given = {
    roles: distinct(fields.roles ?? []),
    permissions: distinct(fields.permissions ?? []),
    scopes: checkScopes(fields.scopes ?? null),
  }
  requireGrants(rights, await facts.held(given), 'the token')

  const signedAs = fields.algorithm ?? facts.algorithm
  const algorithm = signingAlgorithmOf(signedAs)
  const issuer = await facts.issuer(algorithm)
  const signingKeyId =
    issuer.signingKeyId ?? (await scope.keyring.begin({ projectId: scope.projectId, algorithm }))
  const id = newId('tok', nowMs, scope.random)
  const issuedAt = Math.floor(nowMs / 1000)
  const expiresAt = issuedAt + (fields.ttlSeconds ?? DEFAULT_TTL_SECONDS)
  const claims = {
    ...checkClaims(fields.claims),
    iss: issuer.url,
    sub: fields.subject,
    aud: typeof fields.audience === 'string' ? fields.audience : distinct(fields.audience),
    exp: expiresAt,
    iat: issuedAt,
    jti: id,
    client_id: clientIdOf(scope.actor),
    // Absent: nothing narrows. Empty: nothing is permitted (rule R2).
    ...(given.scopes === null ? {} : { scope: given.scopes.join(' ') }),
    ...(given.roles.length === 0 ? {} : { roles: given.roles }),
    ...(given.permissions.length === 0 ? {} : { permissions: given.permissions }),
    pos: formatPosition(position),
  }
  await scope.waitForApplied(issuer.position)
  const ring = { projectId: scope.projectId, algorithm, signingKeyId, signedAs }
  const credential = await scope.keyring.sign(ring, writeClaims(claims))
  return { id, credential, expiresAt: formatTime(expiresAt * 1000) }
}

/** A management key acts as the client of what it mints, so that revoking the key revokes that too (rule V5). */
function clientIdOf(actor: Actor): string {
  return actor.kind === 'management-key' ? actor.keyId : EMBEDDED_CLIENT
}

/**
 * What our own verifiers would refuse to read is not signed. Text without an escape, nested no deeper than a list in
 * an object, is what they all read; anything else is tried.
 */
function writeClaims(claims: Readonly<Record<string, unknown>>): string {
  const json = JSON.stringify(claims)
  if ((isFlat(claims) && !json.includes('\\')) || parseStrictJson(json) !== undefined) return json
  throw new CodedError(
    'invalid_request',
    'The claims are nested too deeply, a text among them holds half a surrogate pair, or a name a quote, a backslash or a control character: no verifier would read them.',
  )
}

function isFlat(claims: Readonly<Record<string, unknown>>): boolean {
  return Object.values(claims).every(
    (value) => typeof value !== 'object' || (Array.isArray(value) && value.every(isText)),
  )
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
