import { MAX_TOKEN_LIFE_SECONDS } from '../tokens/claims.ts'
import { formatInstant } from '../verifier/format-instant.ts'
import { ANY_AUDIENCE } from '../verifier/verify-request.ts'
import type { Checklist } from './checklist.ts'
import type { ClaimReader } from './inspect-claims.ts'
import type { InspectRequest } from './inspection.ts'

const UNREADABLE = 'The claim that says so cannot be read.'
const ASK_THE_SERVER = 'Only its server knows, and none was asked.'

/** Checks what the claims of a token say against what was asked and the time; each only if its claim can be read. */
export function inspectValidity(claimsWith: ClaimReader, request: InspectRequest, list: Checklist): void {
  inspectIssuer(claimsWith, request, list)
  inspectAudience(claimsWith, request, list)
  list.leave(['revocation', 'enabled'], ASK_THE_SERVER)
  const nowMs = request.nowMs ?? Date.now()
  inspectExpiry(claimsWith, nowMs, list)
  inspectStart(claimsWith, nowMs, list)
  inspectProof(claimsWith, list)
  list.leave(['rights'], 'What its roles confer, and what it may do now, only its server knows.')
}

function inspectIssuer(claimsWith: ClaimReader, { issuer }: InspectRequest, list: Checklist): void {
  const claimed = claimsWith('iss')?.issuer
  if (claimed === undefined) list.unchecked('issuer', UNREADABLE)
  else if (issuer === undefined) {
    list.unchecked('issuer', `It says ${claimed}. State the issuer that you trust.`)
  } else if (claimed === issuer) list.holds('issuer', 'It is the issuer that you trust, to the letter.')
  else {
    list.fails(
      'issuer',
      `It was issued by ${claimed}, and you trust ${issuer}.`,
      'Ask the issuer that you trust for a token. Issuers are compared to the letter, a last `/` included.',
    )
  }
}

function inspectAudience(claimsWith: ClaimReader, { audience }: InspectRequest, list: Checklist): void {
  const meant = claimsWith('aud')?.audience ?? []
  const [first] = meant
  const names = meant.join(', ')
  const accepted = typeof audience === 'string' ? [audience] : audience
  if (first === undefined) list.unchecked('audience', UNREADABLE)
  else if (accepted === undefined) {
    list.unchecked('audience', `It is meant for ${names}. State the audience that your service is.`)
  } else if (audience === ANY_AUDIENCE) {
    list.holds('audience', `Every audience is accepted; it is meant for ${names}.`)
  } else if (accepted.some((name) => meant.includes(name))) {
    list.holds('audience', 'It is meant for your service.')
  } else {
    list.fails('audience', `It is meant for ${names}, and you ask as ${accepted.join(', ')}.`, {
      text: `Ask its issuer for a token whose \`aud\` names your service. If your service is ${first}, verify with that audience.`,
      audience: first,
    })
  }
}

function inspectExpiry(claimsWith: ClaimReader, nowMs: number, list: Checklist): void {
  const expiresAtMs = claimsWith('exp')?.expiresAtMs
  const issuedAtMs = claimsWith('iat')?.issuedAtMs ?? Number.POSITIVE_INFINITY
  const lastMs = issuedAtMs + MAX_TOKEN_LIFE_SECONDS * 1000
  if (expiresAtMs === undefined) list.unchecked('expiry', UNREADABLE)
  else if (nowMs < expiresAtMs && nowMs >= lastMs) {
    list.fails(
      'expiry',
      `It says that it ends ${formatInstant(expiresAtMs)}, but no token counts for more than a day after it was issued, unless its signing key was imported with a later end.`,
      'Ask for a new one that lives a day at most.',
    )
  } else if (nowMs < expiresAtMs) {
    list.holds('expiry', `It ends ${formatInstant(expiresAtMs)}, in ${formatSpan(expiresAtMs - nowMs)}.`)
  } else {
    list.fails(
      'expiry',
      `It ended ${formatInstant(expiresAtMs)}, ${formatSpan(nowMs - expiresAtMs)} ago.`,
      'Ask for a new one; a session gets one for its refresh token. If it is new, compare the clocks.',
    )
  }
}

function inspectStart(claimsWith: ClaimReader, nowMs: number, list: Checklist): void {
  const claims = claimsWith('nbf')
  const notBeforeMs = claims?.notBeforeMs ?? null
  if (claims === undefined) list.unchecked('start', UNREADABLE)
  else if (notBeforeMs === null) list.holds('start', 'It says no time before which it is not valid.')
  else if (nowMs >= notBeforeMs) list.holds('start', `It is valid since ${formatInstant(notBeforeMs)}.`)
  else {
    const text = `Wait ${formatSpan(notBeforeMs - nowMs)}. If it should be valid now, compare the clocks.`
    const expiresAtMs = claimsWith('exp')?.expiresAtMs ?? 0
    // One that ends before it begins is never valid.
    const remedy = notBeforeMs < expiresAtMs ? { text, atMs: notBeforeMs } : { text }
    list.fails('start', `It is valid from ${formatInstant(notBeforeMs)} on.`, remedy)
  }
}

function inspectProof(claimsWith: ClaimReader, list: Checklist): void {
  const claims = claimsWith('cnf')
  if (claims === undefined) list.unchecked('proof', UNREADABLE)
  else if (claims.confirmation === null)
    list.holds('proof', 'It is bound to nobody: who holds it may use it.')
  else {
    list.fails(
      'proof',
      'It is bound to its sender (`cnf`), who has to prove it with each use.',
      'This verifier takes no proof yet. Ask for a token that is not bound.',
    )
  }
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const

/** A time span in the largest unit that it fills. */
function formatSpan(ms: number): string {
  const [unit, size] = UNITS.find(([, unitMs]) => ms >= unitMs) ?? ['second', 1000]
  const count = Math.floor(ms / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
