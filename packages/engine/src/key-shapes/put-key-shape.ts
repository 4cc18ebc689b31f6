import { KEY_SHAPE_MAX_LENGTH, keyShapeFault } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'
import type { Command } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import type { Scope } from '../scope.ts'
import { readAlphabet } from './alphabet.ts'
import { HashEncoding } from './key-hash.ts'
import { type KeyShapeRow, loadKeyShapes, parseShapeName, shapeOf } from './key-shape.ts'
import { type KeyShapeView, viewKeyShape } from './key-shape-view.ts'

/** Every text that is no key of our own is held against each of them. */
const MAX_SHAPES = 32

const Length = Type.Integer({ minimum: 1, maximum: KEY_SHAPE_MAX_LENGTH })

export const PutKeyShapeInput = Type.Object(
  {
    prefix: Type.String({
      maxLength: KEY_SHAPE_MAX_LENGTH,
      description: 'What each of these keys begins with, its `_` included; may be empty.',
    }),
    alphabet: Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'The characters that come after it, with ranges: `A-Za-z0-9`, `0-9a-f`.',
    }),
    length: Type.Integer({ ...Length, description: 'How many of them come after it.' }),
    minLength: Type.Optional(
      Type.Integer({ ...Length, description: 'How many at least, where their number varies a little.' }),
    ),
    hashEncoding: HashEncoding,
  },
  { additionalProperties: false },
)
export type PutKeyShapeInput = Static<typeof PutKeyShapeInput>

interface PutKeyShapeArgs {
  readonly shape: Omit<KeyShapeRow, 'created_at_ms'>
}

/**
 * Registers the shape of keys that were issued elsewhere, so that verifiers look texts of it up. Nothing passes by that
 * alone: keys are imported under it. A shape never changes, for then keys that passed would pass no more; writing the
 * same again changes nothing. Throws `already_exists` for another shape of the name.
 */
export async function putKeyShape(scope: Scope, name: string, input: unknown): Promise<KeyShapeView> {
  requireCustomerProject(scope)
  const fields = parseInput(PutKeyShapeInput, input)
  const alphabet = readAlphabet(fields.alphabet)
  if (alphabet === undefined) {
    throw new CodedError(
      'invalid_request',
      '`alphabet` has a range that is none. Write it as in `A-Za-z0-9`.',
    )
  }
  const shape = {
    project_id: scope.projectId,
    name: parseShapeName(name),
    prefix: fields.prefix,
    alphabet,
    min_length: fields.minLength ?? fields.length,
    length: fields.length,
    hash_encoding: fields.hashEncoding,
  }
  const fault = keyShapeFault(shapeOf({ ...shape, created_at_ms: 0 }))
  if (fault !== undefined) throw new CodedError('invalid_request', fault)
  return scope.writer.run('put-key-shape', { shape }, scope.actor)
}

export const putKeyShapeCommand: Command<PutKeyShapeArgs, KeyShapeView> = async (context, { shape }) => {
  const projectId = shape.project_id
  await authorize(context, projectId, 'keys:write')
  const present = await loadKeyShapes({ db: context.db, projectId })
  const known = present.find(({ name }) => name === shape.name)
  if (known !== undefined) {
    if (isSame(known, shape)) return viewKeyShape(known)
    throw new CodedError('already_exists', 'There is another key shape of this name. Choose a new name.')
  }
  if (present.length >= MAX_SHAPES) {
    throw new CodedError(
      'invalid_request',
      `A project has ${MAX_SHAPES} key shapes at most. Delete one first.`,
    )
  }
  const row = { ...shape, created_at_ms: context.nowMs }
  await context.db.insertInto('key_shapes').values(row).execute()
  await context.emit(projectId, { type: 'key-shape', name: row.name, shape: shapeOf(row) })
  await context.audit({
    projectId,
    action: 'key-shape.put',
    target: row.name,
    detail: { ...shapeOf(row), hashEncoding: row.hash_encoding },
  })
  return viewKeyShape(row)
}

function isSame(known: KeyShapeRow, given: Omit<KeyShapeRow, 'created_at_ms'>): boolean {
  return (
    known.prefix === given.prefix &&
    known.alphabet === given.alphabet &&
    known.min_length === given.min_length &&
    known.length === given.length &&
    known.hash_encoding === given.hash_encoding
  )
}
