import { formatPosition, type Position } from '../changes/position.ts'
import type { KeyFill, Snapshot } from '../source/source.ts'
import type { ChangesPage } from '../wire/feed.ts'
import type { LeaseAnswer, LeaseRequest } from '../wire/lease.ts'
import type { LimitLeaseAnswer, LimitLeaseRequest } from '../wire/limit-lease.ts'
import type { ResolveAnswer } from '../wire/resolve.ts'
import type { UsageReport } from '../wire/usage.ts'
import { EdgeError, type EdgeTransport, edgeErrorOf, type FeedListener, messageOf } from './edge-transport.ts'
import { EventStream, type StreamEvent } from './event-stream.ts'
import { SnapshotLinesReader } from './snapshot-lines-reader.ts'
import { textLines } from './text-lines.ts'

export interface HttpTransportOptions {
  /** The server's address; a path before `/v1` is kept. */
  readonly url: string
  /** A management key of the preset `edge`. */
  readonly key: string
  /** Of a root key: the project. */
  readonly project?: string | undefined
  readonly fetch: typeof globalThis.fetch
}

/** With a body, it is posted. */
interface Question {
  readonly accept?: string
  readonly body?: unknown
  readonly signal: AbortSignal
}

const JSON_TYPE = 'application/json'
const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/
const MAX_DETAIL_CHARACTERS = 500

/** Asks a Claviger server over HTTP. Throws a TypeError for an address that must not be sent a key. */
export class HttpTransport implements EdgeTransport {
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>
  readonly #fetch: typeof globalThis.fetch

  constructor({ url, key, project, fetch }: HttpTransportOptions) {
    this.#base = readBase(url)
    this.#headers = {
      authorization: `Bearer ${key}`,
      ...(project === undefined ? {} : { 'claviger-project': project }),
    }
    // Some runtimes want `fetch` to be called as a plain function.
    this.#fetch = (input, init) => fetch(input, init)
  }

  async readSnapshot(signal: AbortSignal, keep?: (line: string) => void): Promise<Snapshot> {
    const body = await this.#open('/v1/changes/snapshot', 'application/x-ndjson', signal)
    const reader = new SnapshotLinesReader()
    return reading(async () => {
      for await (const line of textLines(body)) {
        reader.push(line)
        keep?.(line)
      }
      return reader.finish()
    })
  }

  readChanges(after: Position, signal: AbortSignal): Promise<ChangesPage> {
    return this.#read<ChangesPage>(changesAfter(after), { signal })
  }

  async follow(after: Position, listener: FeedListener, signal: AbortSignal): Promise<void> {
    const body = await this.#open(changesAfter(after), 'text/event-stream', signal)
    const events = new EventStream()
    await reading(async () => {
      for await (const line of textLines(body, () => listener.heard())) {
        const event = events.push(line)
        if (event !== undefined) tell(listener, event)
      }
    })
  }

  askLease(body: LeaseRequest, signal: AbortSignal): Promise<LeaseAnswer> {
    return this.#read<LeaseAnswer>('/v1/changes/lease', { body, signal })
  }

  async releaseLease(id: string, signal: AbortSignal): Promise<void> {
    await this.#ask('/v1/changes/lease/release', { body: { verifier: { id } }, signal })
  }

  async resolveKeys(digests: readonly string[], signal: AbortSignal): Promise<readonly KeyFill[]> {
    return (await this.#read<ResolveAnswer>('/v1/resolve', { body: { digests }, signal })).fills
  }

  leaseLimits(body: LimitLeaseRequest, signal: AbortSignal): Promise<LimitLeaseAnswer> {
    return this.#read<LimitLeaseAnswer>('/v1/limits/lease', { body, signal })
  }

  async reportUsage(body: UsageReport, signal: AbortSignal): Promise<void> {
    await this.#read('/v1/usage', { body, signal })
  }

  async #read<Answer>(path: string, question: Question): Promise<Answer> {
    const answer = await this.#ask(path, question)
    return reading(() => answer.json() as Promise<Answer>)
  }

  async #open(path: string, accept: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const answer = await this.#ask(path, { accept, signal })
    const isExpected = answer.headers.get('content-type')?.startsWith(accept) ?? false
    if (answer.body !== null && isExpected) return answer.body
    await answer.body?.cancel()
    throw new EdgeError('protocol', `The server at ${this.#base} answers ${path} as no Claviger server does.`)
  }

  async #ask(path: string, { accept = JSON_TYPE, body, signal }: Question): Promise<Response> {
    const headers = { ...this.#headers, accept }
    const init =
      body === undefined
        ? { headers }
        : { method: 'POST', headers: { ...headers, 'content-type': JSON_TYPE }, body: JSON.stringify(body) }
    let answer: Response
    try {
      // The key goes to this address and to no other that it names.
      answer = await this.#fetch(this.#base + path, { ...init, redirect: 'manual', signal })
    } catch (error) {
      throw new EdgeError('unreachable', `${this.#base} cannot be reached: ${messageOf(error)}`)
    }
    if (answer.ok) return answer
    throw await refusalOf(answer, this.#base)
  }
}

function changesAfter(position: Position): string {
  return `/v1/changes?after=${encodeURIComponent(formatPosition(position))}`
}

/** The address without a slash at its end. */
function readBase(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('`url` is the address of a Claviger server, such as https://claviger.example.com.')
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new TypeError('`url` has no user, query or fragment: the key is given as `key`.')
  }
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    throw new TypeError('`url` must begin with https: a key is sent in the clear to this machine only.')
  }
  return url.href.replace(/\/+$/, '')
}

function tell(listener: FeedListener, { name, data }: StreamEvent): void {
  if (name === 'change') listener.change(JSON.parse(data))
  else if (name === 'hello') listener.hello(JSON.parse(data))
  else if (name === 'reset') listener.reset()
  else if (name === 'end') listener.end(JSON.parse(data).code)
}

/** What cannot be read of an answer is as good as none. */
async function reading<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (error) {
    const isGarbled = error instanceof SyntaxError || error instanceof TypeError
    throw isGarbled && !isLost(error) ? new EdgeError('protocol', error.message) : edgeErrorOf(error)
  }
}

/** A connection that was lost while a body was read shows as a TypeError too (Fetch, section 5.3). */
function isLost(error: Error): boolean {
  return error.cause !== undefined || error.message === 'terminated' || error.message === 'network error'
}

/** What the server says is wrong (RFC 9457). */
async function refusalOf(answer: Response, base: string): Promise<EdgeError> {
  const refused =
    answer.status >= 400 && answer.status < 500 && answer.status !== 408 && answer.status !== 429
  const text = await answer.text().catch(() => '')
  const problem = readProblem(text)
  const code = problem?.code ?? (refused ? 'protocol' : 'unreachable')
  const detail = problem?.detail ?? `it answers ${answer.status}, and not as a Claviger server does`
  return new EdgeError(code, `${base} refuses: ${detail.slice(0, MAX_DETAIL_CHARACTERS)}`, {
    refused: refused && problem !== undefined,
  })
}

function readProblem(text: string): { readonly code: string; readonly detail: string } | undefined {
  try {
    const { code, detail } = JSON.parse(text)
    return typeof code === 'string' && typeof detail === 'string' ? { code, detail } : undefined
  } catch {
    return undefined
  }
}
