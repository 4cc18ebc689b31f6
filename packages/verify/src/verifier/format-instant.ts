/** Of few minutes the text up to their seconds: what is written at once is of now, and of when something ends. */
const MINUTES_KEPT = 13
const minutes: number[] = new Array(MINUTES_KEPT).fill(Number.NaN)
const minuteTexts: string[] = new Array(MINUTES_KEPT).fill('')
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
  const upToMinute = minuteText(wholeMinutes)
  const rest = ms - wholeMinutes * 60_000
  const seconds = Math.floor(rest / 1000)
  const thousandths = rest % 1000
  const fraction = thousandths === 0 ? '000' : String(thousandths).padStart(3, '0')
  return `${upToMinute}${seconds < 10 ? '0' : ''}${seconds}.${fraction}Z`
}

function minuteText(minute: number): string {
  const place = Math.abs(minute) % MINUTES_KEPT
  if (minutes[place] !== minute) {
    minuteTexts[place] = new Date(minute * 60_000).toISOString().slice(0, -'00.000Z'.length)
    minutes[place] = minute
  }
  return minuteTexts[place] ?? ''
}
