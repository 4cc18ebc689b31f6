/** What was found around a credential, and the credential without it. */
export interface Unwrapped {
  readonly text: string
  /** What was taken away, for people; empty when the text stood alone. */
  readonly removed: readonly string[]
}

/** What people copy along with a credential. A variable's name is in capitals: base64url of a header never is. */
const AROUND: readonly (readonly [RegExp, string])[] = [
  [/^(?:authorization|x-api-key)\s*:\s*/i, 'the name of a header'],
  [/^(?:bearer|dpop|token)\s+/i, 'the scheme before it'],
  [/^(?:export\s+)?[A-Z][A-Z0-9_]*=/, 'the name of a variable'],
  [/^["'`]+|["'`]+$/g, 'quotation marks'],
]

/** Blanks of every kind, and the marks without width that some programs add. */
const BLANKS = /[\s\u200b-\u200d\u2060\ufeff]+/g

/** Takes away what stands around a credential, and blanks within: it was folded into lines, then. */
export function unwrap(given: string): Unwrapped {
  const removed = new Set<string>()
  let text = removeBlanksAround(given, removed)
  for (let before: string | undefined; before !== text; ) {
    before = text
    for (const [pattern, name] of AROUND) {
      const rest = text.replaceAll(global(pattern), '')
      if (rest !== text) {
        removed.add(name)
        text = removeBlanksAround(rest, removed)
      }
    }
  }
  if (text.startsWith('{') || text.startsWith('-----BEGIN')) return { text, removed: [...removed] }
  const joined = text.replaceAll(BLANKS, '')
  if (joined !== text) removed.add('blanks within it')
  return { text: joined, removed: [...removed] }
}

function removeBlanksAround(text: string, removed: Set<string>): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text, start)) start++
  while (end > start && isBlank(text, end - 1)) end--
  if (end - start !== text.length) removed.add('blanks around it')
  return text.slice(start, end)
}

function isBlank(text: string, index: number): boolean {
  return text.charAt(index).replaceAll(BLANKS, '') === ''
}

function global(pattern: RegExp): RegExp {
  return pattern.global ? pattern : new RegExp(pattern.source, `${pattern.flags}g`)
}
