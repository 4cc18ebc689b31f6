import { createHash } from 'node:crypto'
import type { ImportKeysInput, KeyShape } from '@claviger/client'
import type { KeyShapes } from '@claviger/verify'

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
  if (record === undefined) return { fault: 'The line is no JSON object.' }
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

function parseRecord(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}
