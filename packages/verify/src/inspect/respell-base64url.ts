import { decodeBase64Url } from '../tokens/base64url.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Bits of the last character that name no byte, by the number of characters beyond a multiple of four. */
const UNUSED_BITS = [0, 0, 0b1111, 0b11] as const

/** Base64 in another spelling than JOSE's, as JOSE writes it. */
export interface Respelled {
  /** The canonical spelling; undefined when the text is base64 in no spelling. */
  readonly text: string | undefined
  /** What is wrong with the spelling given, for people. */
  readonly faults: readonly string[]
}

/** Writes base64 of any spelling as RFC 7515, section 2, wants it; no faults when it is that already. */
export function respellBase64Url(given: string): Respelled {
  if (decodeBase64Url(given) !== undefined) return { text: given, faults: [] }
  const faults: string[] = []
  const step = (name: string, text: string, next: string): string => {
    if (next !== text) faults.push(name)
    return next
  }
  const unescaped = step('percent signs of a URL', given, given.replaceAll(/%(2[bBfF]|3[dD])/g, unescapeOne))
  const bare = step('padding with `=`', unescaped, withoutPadding(unescaped))
  const text = step(
    '`+` and `/` of plain base64',
    bare,
    bare.replaceAll(/[+/]/g, (character) => (character === '+' ? '-' : '_')),
  )
  if (!/^[A-Za-z0-9_-]*$/.test(text)) {
    return { text: undefined, faults: [...faults, 'characters that are not of its alphabet'] }
  }
  if (text.length % 4 === 1) return { text: undefined, faults: [...faults, 'a length that no bytes give'] }
  return { text: step('unused bits that are not zero', text, withoutUnusedBits(text)), faults }
}

function unescapeOne(escaped: string): string {
  return String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
}

function withoutPadding(text: string): string {
  let end = text.length
  while (text.charAt(end - 1) === '=') end--
  return text.slice(0, end)
}

function withoutUnusedBits(text: string): string {
  const unused = UNUSED_BITS[text.length % 4] ?? 0
  const value = ALPHABET.indexOf(text.charAt(text.length - 1))
  return unused === 0 ? text : text.slice(0, -1) + ALPHABET.charAt(value & ~unused)
}
