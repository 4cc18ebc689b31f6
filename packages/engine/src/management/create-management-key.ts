import Type, { type Static } from 'typebox'
import { requireRoom } from '../caps/require-room.ts'
import { CodedError } from '../coded-error.ts'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { insertKey, type NewKey } from '../keys/insert-key.ts'
import { checkFuture, checkIpAllow, ExpiresAt, IpAllow, KeyName } from '../keys/key-input.ts'
import { makeKeyText, type NewSecret } from '../keys/key-text.ts'
import { resolveProject } from '../projects/resolve-project.ts'
import { newId } from '../random.ts'
import { distinct, PermissionList } from '../roles/rights-input.ts'
import { type EngineParts, MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import { parseTime } from '../time.ts'
import { authorize, authorizeRead, requirePower } from './authorize.ts'
import { ForeignProject } from './foreign-project.ts'
import {
  type CreatedManagementKey,
  loadManagementKeyView,
  type ManagementKeyView,
} from './management-key-view.ts'
import { type Power, powerOf } from './power.ts'
import { PRESET_NAMES, PRESETS, VERBS } from './verbs.ts'

export const VerbList = Type.Array(Type.Enum([...VERBS]), {
  minItems: 1,
  maxItems: VERBS.length,
  description: 'What the key may do.',
})

export const GrantList = Type.Array(PermissionList.items, {
  maxItems: 1000,
  description: 'Patterns of the permissions that the key may hand out. An empty list hands out nothing.',
})

export const CreateManagementKeyInput = Type.Object(
  {
    name: KeyName,
    project: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'The name of the project to bind it to; the selected one if absent.',
      }),
    ),
    preset: Type.Optional(
      Type.Enum(PRESET_NAMES, { description: 'The verbs of a usual job, instead of `verbs`.' }),
    ),
    verbs: Type.Optional(VerbList),
    grants: Type.Optional(GrantList),
    expiresAt: Type.Optional(ExpiresAt),
    ipAllow: Type.Optional(IpAllow),
  },
  { additionalProperties: false },
)
export type CreateManagementKeyInput = Static<typeof CreateManagementKeyInput>

interface CreateManagementKeyArgs {
  readonly key: NewKey
  readonly managedProjectId: string
  readonly secret: NewSecret
}

/**
 * Creates a management key that is bound to one project (rule M1). Its verbs and grants must be among the caller's
 * (rule M3). Its text is in the answer, this once.
 */
export async function createManagementKey(scope: Scope, input: unknown): Promise<CreatedManagementKey> {
  const rights = await authorizeRead(scope, 'management-keys:write')
  const fields = parseInput(CreateManagementKeyInput, input)
  const project = await resolveBoundProject(scope, rights.boundTo, fields.project ?? scope.project)
  const ipAllow = checkIpAllow(fields.ipAllow ?? null)
  const { text, secret } = makeKeyText('clv_mgmt', scope.random)
  const key = newManagementKey(scope, {
    name: fields.name,
    prefix: 'clv_mgmt',
    managedProjectId: project,
    power: { verbs: readVerbs(fields), grants: distinct(fields.grants ?? []) },
    expiresAtMs: fields.expiresAt == null ? null : parseTime(fields.expiresAt, 'expiresAt'),
    ipAllow,
  })
  const args = { key, managedProjectId: project, secret }
  return scope.writer.run('create-management-key', args, scope.actor, { credential: text })
}

export const createManagementKeyCommand: Command<CreateManagementKeyArgs, ManagementKeyView> = async (
  context,
  { key, managedProjectId, secret },
) => {
  const rights = await authorize(context, managedProjectId, 'management-keys:write')
  checkFuture(key.expires_at_ms, context.nowMs)
  await requireRoom(context, 'managementKeys', { projectId: managedProjectId })
  const row = await insertKey(context, key, secret)
  const power = powerOf(row)
  requirePower(rights, power)
  await context.audit({
    projectId: MANAGEMENT_PROJECT,
    action: 'management-key.create',
    target: key.id,
    detail: { name: key.name, locator: secret.locator, projectId: managedProjectId, ...power },
  })
  return loadManagementKeyView(context.db, row, context.nowMs)
}

/** What is particular about a new management key. */
export interface ManagementKeyFields {
  readonly name: string
  readonly prefix: 'clv_root' | 'clv_mgmt'
  /** Null: a root key. */
  readonly managedProjectId: string | null
  readonly power: Power
  readonly expiresAtMs: number | null
  readonly ipAllow: readonly string[] | null
}

/** A management key holds no rights of a customer's: it speaks for itself and has neither role nor permission. */
export function newManagementKey(
  { clock, random }: Pick<EngineParts, 'clock' | 'random'>,
  fields: ManagementKeyFields,
): NewKey {
  const id = newId('key', clock.nowMs(), random)
  return {
    id,
    project_id: MANAGEMENT_PROJECT,
    name: fields.name,
    prefix: fields.prefix,
    subject: id,
    roles: '[]',
    permissions: '[]',
    scopes: null,
    metadata: '{}',
    ip_allow: fields.ipAllow === null ? null : JSON.stringify(fields.ipAllow),
    expires_at_ms: fields.expiresAtMs,
    not_before_ms: null,
    managed_project_id: fields.managedProjectId,
    verbs: JSON.stringify(fields.power.verbs),
    grants: JSON.stringify(fields.power.grants),
  }
}

function readVerbs({ preset, verbs }: CreateManagementKeyInput): readonly string[] {
  if (preset !== undefined && verbs === undefined) return PRESETS[preset]
  if (preset === undefined && verbs !== undefined) return distinct(verbs)
  throw new CodedError('invalid_request', 'Give either `preset` or `verbs`.')
}

/** For a bound key there is no project but its own (rule M2); and none manages the management keys' project alone. */
async function resolveBoundProject(scope: Scope, boundTo: string | null, name: string): Promise<string> {
  const { id } = await resolveProject(scope.reader, name)
  if (boundTo !== null && id !== boundTo) throw new ForeignProject()
  if (id !== MANAGEMENT_PROJECT) return id
  throw new CodedError(
    'invalid_request',
    `No management key is bound to \`${MANAGEMENT_PROJECT}\`. Name the \`project\` that it shall manage.`,
  )
}
