import Table from 'cli-table3'
import picocolors from 'picocolors'

/** Colours on a terminal only; NO_COLOR is honoured there too. */
export const colors = picocolors.createColors(process.stdout.isTTY === true && picocolors.isColorSupported)

export function printJson(answer: unknown): void {
  console.log(JSON.stringify(answer, null, 2))
}

/** A table without lines around it: it is copied, and cut up by other programs. */
export function printTable(head: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const table = new Table({
    head: head.map((text) => colors.bold(text)),
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  })
  table.push(...rows.map((row) => row.map(formatCell)))
  console.log(trimLines(table.toString()))
}

/** One record, a member a line. */
export function printRecord(members: readonly (readonly [name: string, value: Cell])[]): void {
  const table = new Table({
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  })
  table.push(...members.map(([name, value]) => [colors.dim(name), formatCell(value)]))
  console.log(trimLines(table.toString()))
}

export type Cell = string | readonly string[] | boolean | null | undefined

/**
 * Text that comes from elsewhere, with its control characters spelt out: a name must not move the cursor, colour the
 * screen or forge a line of its own.
 */
export function makePrintable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

const NO_BORDERS = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
    'middle',
  ].map((name) => [name, '']),
)

function formatCell(value: Cell): string {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return makePrintable(value)
  return value.length === 0 ? '-' : value.map(makePrintable).join(', ')
}

function trimLines(text: string): string {
  return text.replaceAll(/[ ]+$/gm, '')
}
