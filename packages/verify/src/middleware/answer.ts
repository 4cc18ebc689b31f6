import type { Refusal } from '../verdict.ts'
import { type BearerChallenge, formatBearerChallenge } from './bearer-challenge.ts'
import type { PresentedCredential } from './presented-credential.ts'
import { rateLimitHeaders } from './rate-limit-headers.ts'

/** What a refused request is answered with, in no framework's terms. */
export interface Answer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** A problem (RFC 9457) as JSON. */
  readonly body: string
}

/** What the answers of one guard have in common. */
export interface AnswerParts {
  readonly realm: string
  /** The permissions that are wanted, for the challenge; undefined where a list cannot say it. */
  readonly scope: string | undefined
  readonly resourceMetadata: string | undefined
  /** What a request without a credential is told. */
  readonly howToPresent: string
}

type Fault = Extract<PresentedCredential, { fault: string }>

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is not valid',
  401: 'The credential is missing or not valid',
  403: 'The credential does not permit this',
  429: 'A limit of the credential is used up',
  503: 'The credential cannot be checked now',
}

/** The answer to a request that presents no credential, or more than one. */
export function answerFault(fault: Fault, parts: AnswerParts): Answer {
  if (fault.fault === 'absent' || fault.fault === 'scheme') {
    const challenge = { error: null } as const
    return problem({ status: 401, code: 'unauthenticated', detail: parts.howToPresent, challenge }, parts)
  }
  const detail =
    fault.fault === 'repeated'
      ? `The credential in ${fault.name} stands more than once. Send it once.`
      : 'The request holds two different credentials. Send one.'
  const challenge = { error: 'invalid_request', description: detail } as const
  return problem({ status: 400, code: 'invalid_request', detail, challenge }, parts)
}

/** The answer to a request whose credential may not pass. */
export function answerRefusal(refusal: Refusal, parts: AnswerParts): Answer {
  const { status, code, detail, limits, retryAfterSeconds } = refusal
  const retryAfter = status === 503 ? 1 : retryAfterSeconds
  const extra = {
    ...rateLimitHeaders(limits),
    ...(typeof retryAfter === 'number' ? { 'retry-after': String(Math.ceil(retryAfter)) } : {}),
  }
  const challenge = challengeOf(refusal, parts.scope)
  return problem({ status, code, detail, challenge, extra }, parts)
}

/** An address that is not let in is no want of scope, so nothing is asked for that could be presented instead. */
function challengeOf(refusal: Refusal, scope: string | undefined): Challenge | undefined {
  if (refusal.status === 401) return { error: 'invalid_token', description: refusal.detail }
  if (refusal.code !== 'insufficient_permissions') return undefined
  return { error: 'insufficient_scope', description: refusal.detail, scope }
}

type Challenge = Omit<BearerChallenge, 'realm' | 'resourceMetadata'>

interface ProblemParts {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly challenge: Challenge | undefined
  readonly extra?: Readonly<Record<string, string>>
}

function problem(given: ProblemParts, { realm, resourceMetadata }: AnswerParts): Answer {
  const { status, code, detail, challenge, extra } = given
  const title = TITLES[status]
  return {
    status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(challenge === undefined
        ? {}
        : { 'www-authenticate': formatBearerChallenge({ ...challenge, realm, resourceMetadata }) }),
      ...extra,
    },
    body: JSON.stringify({ type: `urn:claviger:problem:${code}`, title, status, detail, code }),
  }
}
