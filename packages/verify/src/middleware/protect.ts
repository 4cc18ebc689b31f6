import { formatPermissionQuery } from '../access/format-permission-query.ts'
import { compilePermissionQuery } from '../access/permission-query.ts'
import { type Principal, refuse, type Verdict, type VerdictCode } from '../verdict.ts'
import { writeTags } from '../verifier/use-counts.ts'
import type { VerifyRequest } from '../verifier/verify-request.ts'
import { type Answer, type AnswerParts, answerFault, answerRefusal } from './answer.ts'
import { compileAddressReader, type TrustedProxies } from './client-address.ts'
import { readPresentedCredential } from './presented-credential.ts'
import { rateLimitHeaders } from './rate-limit-headers.ts'
import { buildResourceMetadata, type ProtectedResource, type ResourceMetadata } from './resource-metadata.ts'

/** Whoever decides: a verifier of an engine in this process, or one at the edge. */
export interface RequestVerifier {
  verify(request: VerifyRequest): Promise<Verdict>
}

export interface ProtectionOptions {
  readonly verifier: RequestVerifier
  /** Headers that may hold a credential besides `Authorization: Bearer` (default `x-api-key`). */
  readonly keyHeaders?: readonly string[]
  /**
   * A parameter of the query that may hold one, for clients that can set no header. Addresses are kept in logs and
   * histories: such a caller is marked `exposed`, and a framework's own log of requests still shows the address.
   */
  readonly queryParameter?: string
  /** Absent: the client is the connection's other end, and no header is believed. */
  readonly proxies?: TrustedProxies
  /** The realm of the challenges (default `api`). */
  readonly realm?: string
  /** Publishes the service's metadata for OAuth clients (RFC 9728), and names it in the challenges. */
  readonly resource?: ProtectedResource
  /** Told of each decision. It never sees a credential; what it throws refuses the request. */
  readonly onDecision?: (decision: Decision) => void
}

/** What a route asks of its callers. */
export interface RouteRequirements {
  /** A permission query (rule R1). Absent: any credential that may pass. */
  readonly permissions?: string
  /** In place of the verifier's own audience. */
  readonly audience?: string | readonly string[]
  /** What a call spends of every limit (default 1). */
  readonly cost?: number
  /** What the use is counted under besides. */
  readonly tags?: readonly string[]
}

/** Whom a request speaks for. */
export interface Caller extends Principal {
  /** The credential came in the address, which logs and histories keep: have it replaced. */
  readonly exposed?: true
}

export interface Decision {
  readonly outcome: 'ok' | 'unauthenticated' | 'invalid_request' | VerdictCode
  readonly kind?: 'key' | 'token' | undefined
  readonly id?: string | undefined
  /** The client's address; undefined: it cannot be told. */
  readonly ip: string | undefined
  /** Whether the credential came in the address. */
  readonly exposed: boolean
  /** `unavailable`: what the verifier threw. */
  readonly cause?: unknown
}

/** A request as far as it is looked at, in no framework's terms. */
export interface Call {
  /** Names and values in turn, each header as often as it came. */
  readonly rawHeaders: readonly string[]
  /** The address with its query. */
  readonly target: string
  /** The address of the connection's other end. */
  readonly peer: string | undefined
}

export type Admission =
  | { readonly ok: true; readonly principal: Caller; readonly headers: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly answer: Answer }

/** Decides on requests. It never rejects: what fails is refused. */
export type Guard = (call: Call) => Promise<Admission>

export interface Protection {
  /** Builds the guard of a route. Requirements that are not valid are a `TypeError`. */
  guard(requirements: RouteRequirements): Guard
  readonly metadata: ResourceMetadata | undefined
}

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/

/** The protection of a service, whatever its framework. Options that are not valid are a `TypeError`. */
export function createProtection(options: ProtectionOptions): Protection {
  const { verifier, queryParameter, realm = 'api', onDecision } = options
  const headers = (options.keyHeaders ?? ['x-api-key']).map((name) => name.toLowerCase())
  if (!headers.every((name) => HEADER_NAME.test(name) && name !== 'authorization'))
    throw new TypeError('`keyHeaders` must be names of headers other than Authorization.')
  if (queryParameter === '') throw new TypeError('`queryParameter` must not be empty.')
  const addressOf = compileAddressReader(options.proxies)
  // What OAuth calls `query` has this name (RFC 6750, section 2.3).
  const methods = queryParameter === 'access_token' ? (['header', 'query'] as const) : (['header'] as const)
  const metadata =
    options.resource === undefined ? undefined : buildResourceMetadata(options.resource, methods)
  const places = { headers, queryParameter }
  const howToPresent = `Send a credential as ${['`Authorization: Bearer <credential>`', ...headers.map((name) => `\`${name}: <credential>\``)].join(' or ')}.`

  const decide = async (
    call: Call,
    requirements: RouteRequirements,
    parts: AnswerParts,
  ): Promise<Admission> => {
    const presented = readPresentedCredential(call.rawHeaders, places, call.target)
    const ip = addressOf(call.rawHeaders, call.peer)
    if ('fault' in presented) {
      const answer = answerFault(presented, parts)
      const outcome = answer.status === 401 ? 'unauthenticated' : 'invalid_request'
      onDecision?.({ outcome, ip, exposed: false })
      return { ok: false, answer }
    }
    const exposed = presented.place === 'query'
    const { verdict, cause } = await ask(verifier, verifyRequest(presented.credential, ip, requirements))
    const { kind, id } = verdict
    onDecision?.({ outcome: verdict.ok ? 'ok' : verdict.code, kind, id, ip, exposed, cause })
    return verdict.ok ? admit(verdict, exposed) : { ok: false, answer: answerRefusal(verdict, parts) }
  }

  return {
    metadata,
    guard(requirements) {
      const scope = checkRequirements(requirements)
      const parts = { realm, scope, resourceMetadata: metadata?.url, howToPresent }
      return (call) =>
        decide(call, requirements, parts).catch(() => ({
          ok: false,
          answer: answerRefusal(UNDECIDED, parts),
        }))
    },
  }
}

const UNDECIDED = refuse('unavailable', 'The credential could not be checked. Try again in a moment.')

/** Whatever is not plainly an `ok` is a refusal. */
async function ask(
  verifier: RequestVerifier,
  request: VerifyRequest,
): Promise<{ verdict: Verdict; cause?: unknown }> {
  try {
    const verdict = await verifier.verify(request)
    return verdict.ok === true || verdict.ok === false ? { verdict } : { verdict: UNDECIDED }
  } catch (cause) {
    return { verdict: UNDECIDED, cause }
  }
}

function verifyRequest(
  credential: string,
  ip: string | undefined,
  { permissions, audience, cost, tags }: RouteRequirements,
): VerifyRequest {
  return {
    credential,
    require: {
      ...(permissions === undefined ? {} : { permissions }),
      ...(audience === undefined ? {} : { audience }),
    },
    ...(ip === undefined ? {} : { context: { ip } }),
    ...(cost === undefined ? {} : { cost }),
    ...(tags === undefined ? {} : { tags }),
  }
}

/** An answer to an address that holds a credential is for its caller alone (RFC 6750, section 2.3). */
function admit(principal: Principal, exposed: boolean): Admission {
  const limits = rateLimitHeaders(principal.limits)
  if (!exposed) return { ok: true, principal, headers: limits }
  return {
    ok: true,
    principal: Object.freeze({ ...principal, exposed: true as const }),
    headers: { ...limits, 'cache-control': 'private', 'referrer-policy': 'no-referrer' },
  }
}

/** Mistakes of the program show when it starts. Gives the permissions that are wanted, if a list of them can say it. */
function checkRequirements({ permissions, cost = 1, tags }: RouteRequirements): string | undefined {
  if (!Number.isSafeInteger(cost) || cost < 0) throw new TypeError('`cost` must be a non-negative integer.')
  writeTags(tags)
  if (permissions === undefined) return undefined
  const query = compilePermissionQuery(permissions)
  if ('fault' in query) throw new TypeError(query.fault)
  const text = formatPermissionQuery(query)
  return text.includes(' or ') ? undefined : text.replaceAll(' and ', ' ')
}
