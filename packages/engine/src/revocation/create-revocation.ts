import {
  isRefreshTokenPrefix,
  KeyShapes,
  looksLikeKeyString,
  parseKeyString,
  type RevocationRule,
  sha256,
} from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { withoutCredentials } from '../audit/without-credentials.ts'
import { CodedError } from '../coded-error.ts'
import type { Command, CommandContext } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { loadKeyShapes, shapeOf } from '../key-shapes/key-shape.ts'
import { endKey } from '../keys/end-key.ts'
import { loadKey } from '../keys/key.ts'
import { authorize, authorizeRead, type Rights } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import type { Scope } from '../scope.ts'
import { endSession } from '../sessions/end-session.ts'
import { endSessionsBegunBefore } from '../sessions/end-sessions-begun-before.ts'
import { type PresentedToken, presentToken } from '../sessions/refresh-chain.ts'
import { findSessionOfRefreshToken, loadSession } from '../sessions/session.ts'
import { prepareRetirement, retireSigningKey, type SigningKeyEnd } from '../signing/retire-signing-key.ts'
import { SubjectId } from '../subjects/subject-input.ts'
import { parseTime, Time } from '../time.ts'
import { addRule, DAY_MS, tokensUntilMs } from './add-rule.ts'
import { showReceipt } from './read-receipt.ts'
import { type Receipt, receiptOf } from './receipt.ts'
import { revokeKeyText } from './revoke-key-text.ts'
import { withReach } from './with-reach.ts'

const Id = Type.String({ minLength: 1, maxLength: 255 })

/** Exactly one of the first seven members says what is revoked. */
export const CreateRevocationInput = Type.Object(
  {
    credential: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 8192,
        description:
          'The text of a key or a token. A superseded text of a key ends that text alone, a refresh token ends its session.',
      }),
    ),
    keyId: Type.Optional(Id),
    tokenId: Type.Optional(Type.String({ ...Id, description: 'The `jti` of a token.' })),
    sessionId: Type.Optional(
      Type.String({ ...Id, description: 'A session, and every token that was issued in it.' }),
    ),
    subject: Type.Optional(SubjectId),
    clientId: Type.Optional(
      Type.String({ ...Id, description: 'The `client_id` of tokens; the id of the key that minted them.' }),
    ),
    signingKeyId: Type.Optional(
      Type.String({
        ...Id,
        description:
          'The `kid` of a signing key: all tokens that it signed. If it was the one that signs, the next key takes over at once.',
      }),
    ),
    everything: Type.Optional(Type.Literal(true)),
    only: Type.Optional(
      Type.Enum(['keys', 'tokens'], {
        description: 'Of a subject, a client or everything: spares the others.',
      }),
    ),
    issuedBefore: Type.Optional(
      Type.String({
        ...Time,
        description: 'Of a subject, a client or everything: spares what was issued later.',
      }),
    ),
    ban: Type.Optional(
      Type.Boolean({
        description:
          'Of a subject, a client or everything: revokes what is issued later too, until it is lifted.',
      }),
    ),
    keepIssued: Type.Optional(
      Type.Boolean({ description: 'Of a key: the tokens that name it as their client live on.' }),
    ),
    reason: Type.Optional(Type.String({ maxLength: 500, description: 'For the record.' })),
  },
  { additionalProperties: false },
)
export type CreateRevocationInput = Static<typeof CreateRevocationInput>

/** What a token's text names, once its signature was found to be the project's. */
export type TokenIdentification =
  | { readonly tokenId: string; readonly expiresAtMs: number }
  /** Why it names none: one sentence, without the text. */
  | { readonly fault: string }

export interface RevocationScope extends Scope {
  readonly identifyToken: (text: string) => Promise<TokenIdentification>
}

type Target =
  | { readonly kind: 'key-text'; readonly digest: string }
  | { readonly kind: 'key'; readonly id: string }
  | { readonly kind: 'refresh-token'; readonly presented: PresentedToken }
  | { readonly kind: 'session'; readonly id: string }
  /** `untilMs` null: the token's end is not known. */
  | { readonly kind: 'token'; readonly id: string; readonly untilMs: number | null }
  | { readonly kind: 'signing-key'; readonly end: SigningKeyEnd }
  | { readonly kind: 'subject' | 'client' | 'everything'; readonly id: string }

interface CreateRevocationArgs {
  readonly projectId: string
  readonly target: Target
  readonly only: 'keys' | 'tokens' | null
  readonly issuedBeforeMs: number | null
  readonly ban: boolean
  readonly keepIssued: boolean
  readonly reason: string | null
}

/**
 * Revokes: one credential, or all so far of a subject, a client or the project, or all for ever, or whatever a signing key
 * has signed (rules V1 to V6). It
 * takes away only, and so needs no grants. Revoking what is revoked already has no effect, and answers a receipt again.
 */
export async function createRevocation(scope: RevocationScope, input: unknown): Promise<Receipt> {
  requireCustomerProject(scope)
  await authorizeRead(scope, 'revocations:write')
  const fields = parseInput(CreateRevocationInput, input)
  const target = await readTarget(scope, fields)
  requireFittingOptions(target, fields)
  const args: CreateRevocationArgs = {
    projectId: scope.projectId,
    target,
    only: fields.only ?? null,
    issuedBeforeMs: fields.issuedBefore === undefined ? null : parseTime(fields.issuedBefore, 'issuedBefore'),
    ban: fields.ban ?? false,
    keepIssued: fields.keepIssued ?? false,
    reason: fields.reason === undefined ? null : withoutCredentials(fields.reason),
  }
  return withReach(scope, await scope.writer.run('create-revocation', args, scope.actor))
}

export const createRevocationCommand: Command<CreateRevocationArgs, Receipt> = async (context, args) => {
  const { projectId, target } = args
  const rights = await authorize(context, projectId, 'revocations:write')
  const rule = await revokeTarget(context, rights, args)
  return target.kind === 'signing-key' ? showReceipt(context.db, [projectId], rule.id) : receiptOf(rule)
}

async function revokeTarget(
  context: CommandContext,
  rights: Rights,
  args: CreateRevocationArgs,
): Promise<Pick<RevocationRule, 'id' | 'position'>> {
  const { projectId, target, reason, keepIssued } = args
  const end = { reason, keepIssued }
  if (target.kind === 'key-text') {
    return revokeKeyText(context, rights, { text: { projectId, digest: target.digest }, end })
  }
  if (target.kind === 'key') {
    const key = await loadKey(context.db, { kind: 'customer', projectId }, target.id)
    const rule = await endKey(context, key, end)
    await context.audit({ projectId, action: 'key.revoke', target: key.id, detail: { ...end } })
    return rule
  }
  if (target.kind === 'signing-key') return retireSigningKey(context, target.end, reason)
  if (target.kind === 'refresh-token' || target.kind === 'session') {
    const session =
      target.kind === 'session'
        ? await loadSession(context.db, { projectId, id: target.id })
        : await findSessionOfRefreshToken(context.db, target.presented)
    const rule = await endSession(context, session, reason)
    await context.audit({
      projectId,
      action: 'session.revoke',
      target: session.id,
      detail: { subject: session.subject, reason },
    })
    return rule
  }
  const rule = await addRule(context, projectId, newRule(context, args, target))
  await endSessionsBegunBefore(context, projectId, { rule, reason })
  const { id, kind, only, ban, issuedBeforeMs } = rule
  await context.audit({
    projectId,
    action: 'revocation.create',
    target: id,
    detail: { kind, target: rule.target, only, ban, issuedBeforeMs, reason },
  })
  return rule
}

const TARGETS = [
  'credential',
  'keyId',
  'tokenId',
  'sessionId',
  'subject',
  'clientId',
  'signingKeyId',
  'everything',
] as const

async function readTarget(scope: RevocationScope, fields: CreateRevocationInput): Promise<Target> {
  const named = TARGETS.filter((name) => fields[name] !== undefined)
  if (named.length !== 1) {
    throw new CodedError(
      'invalid_request',
      `Name one of ${TARGETS.map((name) => `\`${name}\``).join(', ')}, and no other.`,
    )
  }
  if (fields.credential !== undefined) return readCredential(scope, fields.credential)
  if (fields.keyId !== undefined) return { kind: 'key', id: fields.keyId }
  if (fields.tokenId !== undefined) return { kind: 'token', id: fields.tokenId, untilMs: null }
  if (fields.sessionId !== undefined) return { kind: 'session', id: fields.sessionId }
  if (fields.subject !== undefined) return { kind: 'subject', id: fields.subject }
  if (fields.clientId !== undefined) return { kind: 'client', id: fields.clientId }
  if (fields.signingKeyId !== undefined) {
    return { kind: 'signing-key', end: await prepareRetirement(scope, fields.signingKeyId) }
  }
  return { kind: 'everything', id: '' }
}

/** The text of a key does not leave this side; a token is believed only with a signature of the project. */
async function readCredential(scope: RevocationScope, text: string): Promise<Target> {
  if (looksLikeKeyString(text)) {
    const key = parseKeyString(text)
    if (key !== undefined) {
      return isRefreshTokenPrefix(key.prefix)
        ? { kind: 'refresh-token', presented: await presentToken(scope, text) }
        : { kind: 'key-text', digest: sha256(text) }
    }
    throw new CodedError(
      'invalid_request',
      'The checksum does not fit the key: it was mistyped or cut short.',
    )
  }
  const shapes = await loadKeyShapes({ db: scope.reader, projectId: scope.projectId })
  if (new KeyShapes(shapes.map(shapeOf)).matches(text)) return { kind: 'key-text', digest: sha256(text) }
  const token = await scope.identifyToken(text)
  if ('fault' in token) throw new CodedError('invalid_request', token.fault)
  return { kind: 'token', id: token.tokenId, untilMs: token.expiresAtMs + DAY_MS }
}

/** An option that would have no effect is refused: its caller believes that it has one. */
function requireFittingOptions({ kind }: Target, fields: CreateRevocationInput): void {
  const many = kind === 'subject' || kind === 'client' || kind === 'everything'
  const key = kind === 'key' || kind === 'key-text'
  if (!many && (fields.only !== undefined || fields.issuedBefore !== undefined || fields.ban === true)) {
    throw new CodedError(
      'invalid_request',
      '`only`, `issuedBefore` and `ban` are for a subject, a client or everything.',
    )
  }
  if (!key && fields.keepIssued === true) {
    throw new CodedError('invalid_request', '`keepIssued` is for a key.')
  }
  if (fields.ban === true && fields.issuedBefore !== undefined) {
    throw new CodedError('invalid_request', 'A ban spares nothing: leave `issuedBefore` out.')
  }
}

function newRule(
  { nowMs }: CommandContext,
  { only, issuedBeforeMs, ban, reason }: CreateRevocationArgs,
  target: Extract<Target, { kind: 'token' | 'subject' | 'client' | 'everything' }>,
) {
  if (issuedBeforeMs !== null && issuedBeforeMs > nowMs) {
    throw new CodedError(
      'invalid_request',
      '`issuedBefore` is in the future. For what is yet to come there is `ban`.',
    )
  }
  const untilMs = target.kind === 'token' ? target.untilMs : null
  return {
    kind: target.kind,
    target: target.id,
    issuer: null,
    only,
    ban,
    issuedBeforeMs,
    tokensUntilMs: ban ? null : (untilMs ?? tokensUntilMs(nowMs)),
    reason,
  }
}
