import { coversAll } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { type KeyRow, loadLiveKey } from '../keys/key.ts'
import { ExpiresAt, IpAllow, KeyName } from '../keys/key-input.ts'
import {
  extendsValidity,
  parseValidity,
  storeChange,
  type Validity,
  validityOf,
} from '../keys/key-validity.ts'
import { distinct } from '../roles/rights-input.ts'
import { MANAGEMENT_PROJECT, type Scope } from '../scope.ts'
import { authorize, managementPlace, requirePower } from './authorize.ts'
import { GrantList, VerbList } from './create-management-key.ts'
import { loadManagementKeyView, type ManagementKeyView } from './management-key-view.ts'
import { type Power, powerOf } from './power.ts'

/** Members that are absent stay as they are. The project that a key is bound to never changes. */
export const ChangeManagementKeyInput = Type.Object(
  {
    name: Type.Optional(KeyName),
    verbs: Type.Optional(VerbList),
    grants: Type.Optional(GrantList),
    expiresAt: Type.Optional(ExpiresAt),
    ipAllow: Type.Optional(IpAllow),
    disabled: Type.Optional(
      Type.Boolean({ description: 'True: suspends the key, and the tokens that name it as their client.' }),
    ),
  },
  { additionalProperties: false, minProperties: 1 },
)
export type ChangeManagementKeyInput = Static<typeof ChangeManagementKeyInput>

interface ChangeManagementKeyArgs {
  readonly selectedProjectId: string
  readonly id: string
  readonly power: Partial<Power>
  readonly validity: Partial<Validity>
  readonly name: string | undefined
}

/**
 * Changes a management key. Taking away and naming need nothing; anything else needs verbs and grants that cover
 * what the key has before and after (rule M3). A root key stays root: its verbs and grants cannot be changed.
 */
export async function changeManagementKey(
  scope: Scope,
  id: string,
  input: unknown,
): Promise<ManagementKeyView> {
  const fields = parseInput(ChangeManagementKeyInput, input)
  const args: ChangeManagementKeyArgs = {
    selectedProjectId: scope.projectId,
    id,
    power: {
      ...(fields.verbs === undefined ? {} : { verbs: distinct(fields.verbs) }),
      ...(fields.grants === undefined ? {} : { grants: distinct(fields.grants) }),
    },
    validity: parseValidity(fields),
    name: fields.name,
  }
  return scope.writer.run('change-management-key', args, scope.actor)
}

export const changeManagementKeyCommand: Command<ChangeManagementKeyArgs, ManagementKeyView> = async (
  context,
  args,
) => {
  const rights = await authorize(context, args.selectedProjectId, 'management-keys:write')
  const key = await loadLiveKey(context.db, managementPlace(rights), args.id)
  if (
    key.managed_project_id === null &&
    (args.power.verbs !== undefined || args.power.grants !== undefined)
  ) {
    throw new CodedError(
      'invalid_request',
      'A root key has every verb and grant. Create a bound key instead.',
    )
  }
  const before = { power: powerOf(key), validity: validityOf(key) }
  const after = {
    power: { ...before.power, ...args.power },
    validity: { ...before.validity, ...args.validity },
  }
  if (extendsPower(before.power, after.power) || extendsValidity(before.validity, after.validity)) {
    requirePower(rights, before.power)
    requirePower(rights, after.power)
  }

  const changed = await storeChange(context, key, { validity: after.validity, columns: columnsOf(args) })
  await context.audit({
    projectId: MANAGEMENT_PROJECT,
    action: 'management-key.change',
    target: args.id,
    detail: { ...args.power, ...args.validity, ...(args.name === undefined ? {} : { name: args.name }) },
  })
  return loadManagementKeyView(context.db, changed, context.nowMs)
}

function extendsPower(before: Power, after: Power): boolean {
  return !after.verbs.every((verb) => before.verbs.includes(verb)) || !coversAll(before.grants, after.grants)
}

function columnsOf({ name, power }: ChangeManagementKeyArgs): Partial<KeyRow> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(power.verbs === undefined ? {} : { verbs: JSON.stringify(power.verbs) }),
    ...(power.grants === undefined ? {} : { grants: JSON.stringify(power.grants) }),
  }
}
