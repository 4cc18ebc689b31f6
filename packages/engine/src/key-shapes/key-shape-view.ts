import { keyShapeBits } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { formatTime, Time } from '../time.ts'
import { HashEncoding } from './key-hash.ts'
import { type KeyShapeRow, shapeOf } from './key-shape.ts'

export const KeyShapeView = Type.Object({
  name: Type.String(),
  prefix: Type.String(),
  alphabet: Type.String({ description: 'Every character of it, in order.' }),
  minLength: Type.Integer(),
  length: Type.Integer(),
  hashEncoding: HashEncoding,
  randomBits: Type.Number({ description: 'What a random text of this shape is worth, at most.' }),
  createdAt: Time,
})
export type KeyShapeView = Static<typeof KeyShapeView>

export function viewKeyShape(row: KeyShapeRow): KeyShapeView {
  return {
    name: row.name,
    ...shapeOf(row),
    hashEncoding: row.hash_encoding,
    randomBits: Math.floor(keyShapeBits(shapeOf(row)) * 10) / 10,
    createdAt: formatTime(row.created_at_ms),
  }
}
