/** What was found around a credential, and the credential without it. */
export interface Unwrapped {
  readonly text: string
  /** What was taken away, for people; empty when the text stood alone. */
  readonly removed: readonly string[]
}

/** What people copy along with a credential. A variable's name is in capitals: base64url of a header never is. */
const AROUND: readonly (readonly [RegExp, string])[] = [
  [/^(?:authorization|x-api-key)\s*:\s*/i, 'the name of a header'],
  [/^(?:bearer|dpop|token)\s+/i, 'a scheme such as `Bearer`'],
  [/^(?:export\s+)?[A-Z][A-Z0-9_]*=/, 'the name of a variable'],
]

/** More layers than anybody wraps by accident. */
const MAX_LAYERS = 8
const QUOTES = '"\'`'

/** Blanks of every kind, and the marks without width that some programs add. */
const BLANKS = /[\s\u200b-\u200d\u2060\ufeff]+/g

/** Takes away what stands around a credential, and blanks within: it was folded into lines, then. */
export function unwrap(given: string): Unwrapped {
  const removed = new Set<string>()
  let text = removeBlanksAround(given, removed)
  for (let layer = 0, before: string | undefined; before !== text && layer < MAX_LAYERS; layer++) {
    before = text
    const unquoted = trim(text, (character) => QUOTES.includes(character))
    if (unquoted !== text) {
      removed.add('quotation marks')
      text = removeBlanksAround(unquoted, removed)
    }
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
  const rest = trim(text, (character) => character.replaceAll(BLANKS, '') === '')
  if (rest !== text) removed.add('blanks around it')
  return rest
}

/** From both ends, character by character: a pattern that ends at the end of the text begins anew at each place. */
function trim(text: string, isAround: (character: string) => boolean): string {
  let start = 0
  let end = text.length
  while (start < end && isAround(text.charAt(start))) start++
  while (end > start && isAround(text.charAt(end - 1))) end--
  return text.slice(start, end)
}

function global(pattern: RegExp): RegExp {
  return pattern.global ? pattern : new RegExp(pattern.source, `${pattern.flags}g`)
}
