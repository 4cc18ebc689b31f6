import { createHash } from 'node:crypto'
import type { ImportKeysInput, KeyShape } from '@claviger/client'
import { type KeyShapes, parseStrictJson } from '@claviger/verify'

/** What is sent of a line, as its caller wrote it: the server judges it. */
export type KeyToImport = ImportKeysInput['keys'][number]

/** Why a line is not even sent. It repeats nothing of the line. */
export interface LineFault {
  readonly fault: string
}

/** Reads keys of one shape. The text of a key is hashed here, and goes nowhere. */
export function readKeyLine(
  text: string | null,
  { shape, shapes }: { readonly shape: KeyShape; readonly shapes: KeyShapes },
): KeyToImport | LineFault {
  if (text === null) return { fault: 'The line is longer than 64 KiB, or no UTF-8.' }
  const record = parseRecord(text)
  if (record === undefined) {
    return { fault: 'The line is no JSON object, or one with a member twice, or nested too deep.' }
  }
  const { key, ...rest } = record
  if ((key === undefined) === (rest.hash === undefined)) {
    return { fault: 'A line has either `hash` or `key`.' }
  }
  if (key === undefined) return rest as KeyToImport
  if (typeof key !== 'string' || !shapes.matches(key)) {
    return { fault: `\`key\` has not the shape \`${shape.name}\`, so no verifier would recognise it.` }
  }
  return { ...rest, hash: createHash('sha256').update(key).digest(shape.hashEncoding) } as KeyToImport
}

/** Read as the server reads it, inside the body that it will stand in: what it would not take spoils no other line. */
function parseRecord(text: string): Record<string, unknown> | undefined {
  const keys = parseStrictJson(`{"keys":[${text}]}`)?.keys
  const [record, ...others] = Array.isArray(keys) ? keys : []
  const isRecord = typeof record === 'object' && record !== null && !Array.isArray(record)
  return isRecord && others.length === 0 ? { ...record } : undefined
}
