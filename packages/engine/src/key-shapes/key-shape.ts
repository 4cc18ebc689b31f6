import type { KeyShape } from '@claviger/verify'
import type { Kysely, Selectable } from 'kysely'
import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'
import { parseInput } from '../input.ts'
import type { KeyShapeTable, Schema } from '../storage/schema.ts'

export type KeyShapeRow = Selectable<KeyShapeTable>

export const KeyShapeName = Type.String({
  pattern: '^[a-z0-9][a-z0-9_-]{0,63}$',
  description: 'The name of a key shape of the project.',
})
type KeyShapeName = Static<typeof KeyShapeName>

interface ShapePlace {
  readonly db: Kysely<Schema>
  readonly projectId: string
}

export function parseShapeName(name: unknown): KeyShapeName {
  return parseInput(KeyShapeName, name)
}

/** Finds a shape of the project. Throws `not_found`. */
export async function loadKeyShape({ db, projectId }: ShapePlace, name: string): Promise<KeyShapeRow> {
  const row = await findKeyShape({ db, projectId }, name)
  if (row !== undefined) return row
  throw new CodedError('not_found', 'The project has no such key shape. Register it first.')
}

export function findKeyShape({ db, projectId }: ShapePlace, name: string): Promise<KeyShapeRow | undefined> {
  return db
    .selectFrom('key_shapes')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .executeTakeFirst()
}

export async function loadKeyShapes({ db, projectId }: ShapePlace): Promise<KeyShapeRow[]> {
  return db.selectFrom('key_shapes').selectAll().where('project_id', '=', projectId).orderBy('name').execute()
}

/** What verifiers know of the shape. */
export function shapeOf({ prefix, alphabet, min_length, length }: KeyShapeRow): KeyShape {
  return { prefix, alphabet, minLength: min_length, length }
}
