import { InvalidArgumentError } from 'commander'

/** `a,b` as a list; an empty text is the empty list. */
export function parseList(text: string): string[] {
  return text.trim() === '' ? [] : text.split(',').map((entry) => entry.trim())
}

/** For an option that may be given more than once. */
export function appendValue(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

export function parseWholeNumber(text: string): number {
  if (/^[0-9]{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}

export function parseJsonObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw new InvalidArgumentError('It must be a JSON object.')
}
