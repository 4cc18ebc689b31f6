import Type, { type Static } from 'typebox'
import { requireRoom } from '../caps/require-room.ts'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { LimitMembers, readLimits } from '../limits/limit-input.ts'
import { formatLimits, NO_LIMITS, parseLimits } from '../limits/limits-column.ts'
import { authorize, authorizeRead, requireGrants } from '../management/authorize.ts'
import { formatMetadata, Metadata } from '../metadata.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import { newId } from '../random.ts'
import { checkScopes, distinct, PermissionList, RoleNameList, ScopeList } from '../roles/rights-input.ts'
import { heldPermissions, requireRoles } from '../roles/role-permissions.ts'
import type { Scope } from '../scope.ts'
import { SubjectId } from '../subjects/subject-input.ts'
import { parseTime } from '../time.ts'
import { insertKey, type NewKey } from './insert-key.ts'
import { givenRights } from './key.ts'
import {
  checkFuture,
  checkIpAllow,
  checkKeyPrefix,
  checkSpan,
  ExpiresAt,
  IpAllow,
  KeyName,
  KeyPrefix,
  NotBefore,
} from './key-input.ts'
import { makeKeyText, type NewSecret } from './key-text.ts'
import { type CreatedKey, type KeyView, loadKeyView } from './key-view.ts'

export const CreateKeyInput = Type.Object(
  {
    name: KeyName,
    subject: Type.Optional(SubjectId),
    prefix: Type.Optional(KeyPrefix),
    roles: Type.Optional(RoleNameList),
    permissions: Type.Optional(PermissionList),
    scopes: Type.Optional(Type.Union([ScopeList, Type.Null()])),
    expiresAt: Type.Optional(ExpiresAt),
    notBefore: Type.Optional(NotBefore),
    ipAllow: Type.Optional(IpAllow),
    metadata: Type.Optional(Metadata),
    ...LimitMembers,
  },
  { additionalProperties: false },
)
export type CreateKeyInput = Static<typeof CreateKeyInput>

interface CreateKeyArgs {
  readonly key: NewKey
  readonly secret: NewSecret
}

/**
 * Creates a key. Its text is in the answer, this once. Without a subject the key speaks for itself; without
 * roles and permissions it may do nothing. Handing out rights needs grants that cover them (rule M3).
 */
export async function createKey(scope: Scope, input: unknown): Promise<CreatedKey> {
  requireCustomerProject(scope)
  await authorizeRead(scope, 'keys:write')
  const fields = parseInput(CreateKeyInput, input)
  const prefix = fields.prefix === undefined ? scope.keyPrefix : checkKeyPrefix(fields.prefix)
  const { text, secret } = makeKeyText(prefix, scope.random)
  const key = newKey(scope, fields, prefix)
  return await scope.writer.run('create-key', { key, secret }, scope.actor, { credential: text })
}

export const createKeyCommand: Command<CreateKeyArgs, KeyView> = async (context, { key, secret }) => {
  const rights = await authorize(context, key.project_id, 'keys:write')
  const place = { db: context.db, projectId: key.project_id }
  const given = givenRights(key)
  checkFuture(key.expires_at_ms, context.nowMs)
  await requireRoles(place, given.roles)
  requireGrants(rights, await heldPermissions(place, given), 'the key')

  await requireRoom(context, 'keys', { projectId: key.project_id })
  await requireRoom(context, 'keysPerCaller', { projectId: key.project_id })
  const row = await insertKey(context, key, secret)
  await context.audit({
    projectId: key.project_id,
    action: 'key.create',
    target: key.id,
    detail: {
      name: key.name,
      subject: key.subject,
      locator: secret.locator,
      ...given,
      expiresAtMs: key.expires_at_ms,
      limits: parseLimits(key.limits ?? null),
    },
  })
  return loadKeyView(context.db, row, context.nowMs)
}

/** The row of a key as it was asked for, but for what its command finds out. Throws `invalid_request`. */
export function newKey(scope: Scope, fields: CreateKeyInput, prefix: string): NewKey {
  const id = newId('key', scope.clock.nowMs(), scope.random)
  const scopes = checkScopes(fields.scopes ?? null)
  const ipAllow = checkIpAllow(fields.ipAllow ?? null)
  const span = {
    notBeforeMs: fields.notBefore == null ? null : parseTime(fields.notBefore, 'notBefore'),
    expiresAtMs: fields.expiresAt == null ? null : parseTime(fields.expiresAt, 'expiresAt'),
  }
  checkSpan(span)
  return {
    id,
    project_id: scope.projectId,
    name: fields.name,
    prefix,
    subject: fields.subject ?? id,
    roles: JSON.stringify(distinct(fields.roles ?? [])),
    permissions: JSON.stringify(distinct(fields.permissions ?? [])),
    scopes: scopes === null ? null : JSON.stringify(scopes),
    metadata: formatMetadata(fields.metadata ?? {}),
    limits: formatLimits({ ...NO_LIMITS, ...readLimits(fields) }),
    ip_allow: ipAllow === null ? null : JSON.stringify(ipAllow),
    expires_at_ms: span.expiresAtMs,
    not_before_ms: span.notBeforeMs,
    managed_project_id: null,
    verbs: null,
    grants: null,
  }
}
