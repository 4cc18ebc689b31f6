import { coversAll, type Limits } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { extendsLimits } from '../limits/extends-limits.ts'
import { LimitMembers, readLimits } from '../limits/limit-input.ts'
import { formatLimits, parseLimits } from '../limits/limits-column.ts'
import { authorize, requireGrants } from '../management/authorize.ts'
import { formatMetadata, Metadata } from '../metadata.ts'
import { checkScopes, distinct, PermissionList, RoleNameList, ScopeList } from '../roles/rights-input.ts'
import { type GivenRights, heldPermissions, requireRoles } from '../roles/role-permissions.ts'
import type { Scope } from '../scope.ts'
import { endIssued } from './end-key.ts'
import { givenRights, type KeyRow, loadLiveKey } from './key.ts'
import { ExpiresAt, IpAllow, KeyName, NotBefore } from './key-input.ts'
import { extendsValidity, parseValidity, storeChange, type Validity, validityOf } from './key-validity.ts'
import { type KeyView, loadKeyView } from './key-view.ts'

/** Members that are absent stay as they are. The subject and the prefix never change (rule V4). */
export const ChangeKeyInput = Type.Object(
  {
    name: Type.Optional(KeyName),
    roles: Type.Optional(RoleNameList),
    permissions: Type.Optional(PermissionList),
    scopes: Type.Optional(Type.Union([ScopeList, Type.Null()])),
    expiresAt: Type.Optional(ExpiresAt),
    notBefore: Type.Optional(NotBefore),
    ipAllow: Type.Optional(IpAllow),
    metadata: Type.Optional(Metadata),
    ...LimitMembers,
    disabled: Type.Optional(
      Type.Boolean({ description: 'True: suspends the key, and the tokens that name it as their client.' }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
)
export type ChangeKeyInput = Static<typeof ChangeKeyInput>

interface ChangeKeyArgs {
  readonly projectId: string
  readonly id: string
  readonly given: Partial<GivenRights>
  readonly validity: Partial<Validity>
  readonly limits: Partial<Limits>
  readonly name: string | undefined
  /** JSON. */
  readonly metadata: string | undefined
}

/**
 * Changes a key, and what it may do from the next verification on. Taking away and naming need no grants; anything else
 * needs grants that cover what the key holds before and after (rule M3). Taking away ends the tokens that were derived
 * from the key so far: they say what it held before (rule R4). Throws `revoked` for a revoked key.
 */
export async function changeKey(scope: Scope, id: string, input: unknown): Promise<KeyView> {
  const fields = parseInput(ChangeKeyInput, input)
  const args: ChangeKeyArgs = {
    projectId: scope.projectId,
    id,
    given: {
      ...(fields.roles === undefined ? {} : { roles: distinct(fields.roles) }),
      ...(fields.permissions === undefined ? {} : { permissions: distinct(fields.permissions) }),
      ...(fields.scopes === undefined ? {} : { scopes: checkScopes(fields.scopes) }),
    },
    validity: parseValidity(fields),
    limits: readLimits(fields),
    name: fields.name,
    metadata: fields.metadata === undefined ? undefined : formatMetadata(fields.metadata),
  }
  return scope.writer.run('change-key', args, scope.actor)
}

export const changeKeyCommand: Command<ChangeKeyArgs, KeyView> = async (context, args) => {
  const { projectId, id } = args
  const rights = await authorize(context, projectId, 'keys:write')
  const key = await loadLiveKey(context.db, { kind: 'customer', projectId }, id)
  const place = { db: context.db, projectId }
  const before = {
    given: givenRights(key),
    validity: validityOf(key),
    limits: parseLimits(key.limits),
    metadata: key.metadata,
  }
  const after = {
    given: { ...before.given, ...args.given },
    validity: { ...before.validity, ...args.validity },
    limits: { ...before.limits, ...args.limits },
    metadata: args.metadata ?? key.metadata,
  }
  await requireRoles(place, args.given.roles ?? [])
  // What reads the verdict may act on the metadata too.
  if (
    extendsRights(before.given, after.given) ||
    extendsValidity(before.validity, after.validity) ||
    extendsLimits(before.limits, after.limits) ||
    before.metadata !== after.metadata
  ) {
    requireGrants(rights, await heldPermissions(place, before.given), 'the key')
    requireGrants(rights, await heldPermissions(place, after.given), 'the key')
  }

  const isNarrowed =
    extendsRights(after.given, before.given) ||
    extendsLimits(after.limits, before.limits) ||
    extendsValidity({ ...after.validity, disabled: false }, { ...before.validity, disabled: false })
  if (isNarrowed) await endIssued(context, key, 'The key was narrowed.')
  const changed = await storeChange(context, key, {
    validity: after.validity,
    columns: { ...columnsOf(args), limits: formatLimits(after.limits) },
  })
  await context.audit({
    projectId,
    action: 'key.change',
    target: id,
    detail: {
      ...args.given,
      ...args.validity,
      ...args.limits,
      ...(args.name === undefined ? {} : { name: args.name }),
    },
  })
  return loadKeyView(context.db, changed, context.nowMs)
}

/**
 * Whether anything is given that was not given before. Roles count by their names, for what they confer may
 * change at any time.
 */
function extendsRights(before: GivenRights, after: GivenRights): boolean {
  return (
    !after.roles.every((role) => before.roles.includes(role)) ||
    !coversAll(before.permissions, after.permissions) ||
    (before.scopes !== null && (after.scopes === null || !coversAll(before.scopes, after.scopes)))
  )
}

function columnsOf({ given, name, metadata }: ChangeKeyArgs): Partial<KeyRow> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(given.roles === undefined ? {} : { roles: JSON.stringify(given.roles) }),
    ...(given.permissions === undefined ? {} : { permissions: JSON.stringify(given.permissions) }),
    ...(given.scopes === undefined
      ? {}
      : { scopes: given.scopes === null ? null : JSON.stringify(given.scopes) }),
  }
}
