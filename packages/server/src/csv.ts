/** A value of a cell; null and undefined are an empty one. */
export type CsvValue = string | number | null | undefined

/** One line of a CSV file (RFC 4180), without its end. */
export function csvLine(values: readonly CsvValue[]): string {
  return values.map(csvCell).join(',')
}

/** What a spreadsheet would run as a formula gets an apostrophe before it: a name is anybody's text. */
function csvCell(value: CsvValue): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'string' && /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
