let minute = Number.NaN
let upToMinute = ''
let last = Number.NaN
let lastText = ''

/**
 * RFC 3339 in UTC, as `Date.toISOString` writes it. Tokens that come together mostly end in the same minute or
 * second, and formatting a date costs as much as all other members of a principal: so the last text is kept.
 */
export function formatInstant(ms: number): string {
  if (ms !== last) {
    lastText = format(ms)
    last = ms
  }
  return lastText
}

function format(ms: number): string {
  const wholeMinutes = Math.floor(ms / 60_000)
  if (wholeMinutes !== minute) {
    upToMinute = new Date(wholeMinutes * 60_000).toISOString().slice(0, -'00.000Z'.length)
    minute = wholeMinutes
  }
  const rest = ms - wholeMinutes * 60_000
  const seconds = Math.floor(rest / 1000)
  const thousandths = rest % 1000
  const fraction = thousandths === 0 ? '000' : String(thousandths).padStart(3, '0')
  return `${upToMinute}${seconds < 10 ? '0' : ''}${seconds}.${fraction}Z`
}
