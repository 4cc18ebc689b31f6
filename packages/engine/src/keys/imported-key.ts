import { isKeyPrefix, isReservedKeyPrefix, sha256 } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'
import { parseInput } from '../input.ts'
import { readKeyHash } from '../key-shapes/key-hash.ts'
import type { KeyShapeRow } from '../key-shapes/key-shape.ts'
import type { Scope } from '../scope.ts'
import { parseTime, Time } from '../time.ts'
import { CreateKeyInput, newKey } from './create-key.ts'
import type { NewKey } from './insert-key.ts'
import { KeyName } from './key-input.ts'
import type { NewSecret } from './key-text.ts'

const { name: _name, prefix: _prefix, ...SHARED_MEMBERS } = CreateKeyInput.properties

const MAX_HASH_LENGTH = 64
const MAX_LOCATOR_LENGTH = 8

/** One key that was issued elsewhere: its hash, and what a key of our own is created with. */
export const ImportedKey = Type.Object(
  {
    hash: Type.String({
      maxLength: MAX_HASH_LENGTH,
      description: "The SHA-256 of the key's whole text, in the encoding of its shape.",
    }),
    name: Type.Optional(KeyName),
    ...SHARED_MEMBERS,
    disabled: Type.Optional(Type.Boolean()),
    createdAt: Type.Optional({
      ...Time,
      description:
        'When it was issued. Absent: not known, shown as 1970-01-01, and before the `issuedBefore` of every revocation.',
    }),
    lastUsedAt: Type.Optional(Type.Union([Time, Type.Null()])),
  },
  { additionalProperties: false },
)
export type ImportedKey = Static<typeof ImportedKey>

/** A key on its way into the database. */
export interface NewImportedKey {
  /** Where it stands in its batch. */
  readonly index: number
  readonly key: NewKey
  readonly secret: NewSecret
  /** A digest of all that was said of it. */
  readonly importedAs: string
  readonly disabled: boolean
  readonly createdAtMs: number
  readonly lastUsedAtMs: number | null
}

export interface ImportPlace {
  readonly shape: KeyShapeRow
  /** What a rotation's new text begins with. */
  readonly prefix: string
}

/** Reads one key of a batch. Throws `invalid_request`, which repeats nothing of it but names of members. */
export function readImportedKey(
  scope: Scope,
  { shape, prefix }: ImportPlace,
  { index, input }: { readonly index: number; readonly input: unknown },
): NewImportedKey {
  const given = parseInput(ImportedKey, input)
  const { hash, name, disabled, createdAt, lastUsedAt, ...fields } = given
  const digest = readKeyHash(hash, shape.hash_encoding)
  if (digest === undefined) {
    throw new CodedError(
      'invalid_request',
      `\`hash\` is no SHA-256 in ${shape.hash_encoding}, which the shape \`${shape.name}\` says.`,
    )
  }
  const locator = digest.slice(0, MAX_LOCATOR_LENGTH)
  return {
    index,
    key: newKey(scope, { ...fields, name: name ?? `Imported ${locator}` }, prefix),
    secret: { digest, locator },
    importedAs: sha256(JSON.stringify({ ...given, hash: digest }, inOneOrder)).slice(0, 22),
    disabled: disabled === true,
    createdAtMs: createdAt === undefined ? 0 : readPast(scope, createdAt, 'createdAt'),
    lastUsedAtMs: lastUsedAt == null ? null : readPast(scope, lastUsedAt, 'lastUsedAt'),
  }
}

/** What the shape's texts begin with, if a key of our own may begin so; else the project's prefix. */
export function prefixAfterRotation({ prefix }: KeyShapeRow, projectPrefix: string): string {
  const candidate = prefix.replace(/_$/, '')
  return isKeyPrefix(candidate) && !isReservedKeyPrefix(candidate) ? candidate : projectPrefix
}

function readPast({ clock }: Scope, text: string, member: string): number {
  const ms = parseTime(text, member)
  if (ms <= clock.nowMs()) return ms
  throw new CodedError('invalid_request', `\`${member}\` is in the future.`)
}

/** For `JSON.stringify`: members in the order of their names, so that what means the same reads the same. */
function inOneOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
