import { ClavigerError } from './claviger-error.ts'
import { createClient as createFetchClient } from './generated/client/index.ts'
import { Operations } from './generated/sdk.gen.ts'
import type { Problem } from './generated/types.gen.ts'

export interface ClientOptions {
  /** Where the server is, such as `https://auth.example.com`. */
  readonly url: string
  /** A management key. */
  readonly key: string
  /** The project to act in. Default: the one that the key is bound to, or `default` for a root key. */
  readonly project?: string
  /** How long an answer may take. Default: 30 seconds. */
  readonly timeoutMs?: number
}

/** The management API, one method an operation; each resolves to the answer's body and rejects with a ClavigerError. */
export type ClavigerClient = Operations

const DEFAULT_TIMEOUT_MS = 30_000

/** Makes a client. Throws a `ClavigerError` for an address or a key that cannot be used; it sends nothing. */
export function createClient(options: ClientOptions): ClavigerClient {
  const { project, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const key = readKey(options.key)
  const client = createFetchClient({
    baseUrl: readUrl(options.url),
    throwOnError: true,
    // Whatever answers with a page is no Claviger server.
    parseAs: 'json',
    // A function, so that printing the client does not print the key.
    auth: ({ scheme }) => (scheme === 'bearer' ? key : undefined),
    headers: project === undefined ? {} : { 'Claviger-Project': project },
    // A redirect could lead to plain HTTP, or to somebody else.
    redirect: 'error',
    fetch: (input, init) => {
      const signals = [AbortSignal.timeout(timeoutMs), ...(input instanceof Request ? [input.signal] : [])]
      return fetch(input, { ...init, signal: AbortSignal.any(signals) })
    },
  })
  client.interceptors.error.use((error, response) => toClavigerError(error, response))
  return new Operations({ client })
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new ClavigerError('unreachable', 'The address must begin with https:// or http://.')
  }
  if (url.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)) {
    throw new ClavigerError(
      'plain_http_refused',
      `The key would go to ${url.hostname} over plain HTTP, for everybody on the way to read. Use https://.`,
    )
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}

/** A header that cannot be sent is repeated in the error that says so; a key is therefore looked at before. */
function readKey(text: string): string {
  const key = text.trim()
  if (/^[\x21-\x7e]+$/.test(key)) return key
  throw new ClavigerError('invalid_key', 'The management key is empty or holds characters that no key has.')
}

function toClavigerError(error: unknown, response: Response | undefined): ClavigerError {
  if (response === undefined) return unreachable(error)
  const { status, headers } = response
  const answer = { status, requestId: headers.get('claviger-request-id') ?? undefined }
  if (isProblem(error)) return new ClavigerError(error.code, error.detail, answer)
  return new ClavigerError(
    'unexpected_answer',
    `The server answered ${status} in a way that no Claviger server does. Is the address right?`,
    answer,
  )
}

/** The cause is named by its code alone: a message may repeat what was sent. */
function unreachable(error: unknown): ClavigerError {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined
  const name =
    cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? ` (${cause.code})` : ''
  return new ClavigerError('unreachable', `The server cannot be reached${name}.`)
}

function isProblem(error: unknown): error is Problem {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string' &&
    'detail' in error &&
    typeof error.detail === 'string'
  )
}
