import { type Check, findTerm, type Inspection } from '@claviger/verify'
import { colors, makePrintable, printTable } from './output.ts'

const KINDS: Readonly<Record<Inspection['kind'], string>> = {
  key: 'An API key',
  management_key: 'A management key',
  refresh_token: 'A refresh token',
  token: 'A token',
  encrypted_token: 'An encrypted token',
  json_token: 'A token in JSON',
  pem: 'A PEM file',
  unrecognised: 'Neither a key nor a token',
}

/** A longer value is cut: the table is for people, and `--json` has all of it. */
const MAX_VALUE_LENGTH = 48

const INDENT = ' '.repeat(31)

const PAINT = { holds: colors.green, fails: colors.red, unchecked: colors.dim } as const

export function printInspection(inspection: Inspection): void {
  const { kind, decoded, checks, verdict } = inspection
  console.log(`${colors.bold(KINDS[kind])}. Nothing was sent anywhere.`)
  if (decoded.prefix !== undefined) printMembers('key', { prefix: decoded.prefix, locator: decoded.locator })
  if (decoded.header !== undefined) printMembers('header', decoded.header)
  if (decoded.payload !== undefined) printMembers('claim', decoded.payload)
  console.log('')
  for (const check of checks) printCheck(check)
  console.log(
    verdict === undefined
      ? `\n${soFarGood(checks)}`
      : `\nA verifier would answer ${colors.red(verdict.code)}.`,
  )
}

/** Nothing of it is true because it stands there: each value is shown beside what such a member is for. */
function printMembers(place: 'key' | 'header' | 'claim', members: Readonly<Record<string, unknown>>): void {
  console.log('')
  printTable(
    [place.toUpperCase(), 'VALUE', ''],
    Object.entries(members).map(([name, value]) => {
      const term = findTerm(name)
      return [shorten(name), shorten(formatValue(name, value)), term?.place === place ? term.meaning : '']
    }),
  )
}

function formatValue(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' && ['exp', 'nbf', 'iat'].includes(name)) return `${value}${formatTime(value)}`
  return JSON.stringify(value)
}

function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? '' : ` (${date.toISOString()})`
}

function shorten(value: string): string {
  return value.length > MAX_VALUE_LENGTH ? `${value.slice(0, MAX_VALUE_LENGTH - 1)}…` : value
}

function printCheck({ name, outcome, detail, remedy }: Check): void {
  console.log(`${PAINT[outcome](outcome.padEnd(11))}${name.padEnd(20)}${makePrintable(detail)}`)
  if (remedy === undefined) return
  console.log(`${INDENT}${colors.yellow(makePrintable(remedy.text))}`)
  if (remedy.credential === undefined) return
  // Elsewhere than on a terminal it would stay in some log; who wants it there asks for JSON.
  const shown = process.stdout.isTTY
    ? remedy.credential
    : 'The right text is shown on a terminal or with --json only.'
  console.log(`${INDENT}${shown}`)
}

function soFarGood(checks: readonly Check[]): string {
  const unchecked = checks.filter(({ outcome }) => outcome === 'unchecked').map(({ name }) => name)
  const rest = unchecked.length === 0 ? '' : ` Not checked: ${unchecked.join(', ')}.`
  return `${colors.green('Nothing fails')} of what was checked here.${rest}`
}
