const RANGES = /([A-Za-z0-9])-([A-Za-z0-9])/g
const KINDS = [/^[A-Z]+$/, /^[a-z]+$/, /^[0-9]+$/]

/**
 * The characters that an alphabet such as `1-9A-HJ-NP-Za-km-z` stands for, each once, in order; a range has both its
 * ends in the capitals, the small letters or the digits. Undefined: a range runs backwards or across.
 */
export function readAlphabet(text: string): string | undefined {
  let sound = true
  const spelt = text.replaceAll(RANGES, (_, first: string, last: string) => {
    sound &&= first <= last && KINDS.some((kind) => kind.test(first + last))
    return sound ? charactersBetween(first, last) : ''
  })
  return sound ? [...new Set(spelt)].sort().join('') : undefined
}

function charactersBetween(first: string, last: string): string {
  const start = first.charCodeAt(0)
  return String.fromCharCode(...Array.from({ length: last.charCodeAt(0) - start + 1 }, (_, at) => start + at))
}
