import type { Readable } from 'node:stream'
import type { Engine, ErrorCode, ManagementCaller, Once, Page, Project, Verb } from '@claviger/engine'
import type { TObject, TSchema } from 'typebox'
import type { FeedHub } from '../feed/feed-hub.ts'
import type { GuessThrottle } from '../throttling/guess-throttle.ts'

/** The names between braces: `{ id: string }` of `/v1/keys/{id}`. */
type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [Key in Name]: string } & ParamsOf<Rest>
  : unknown

/** One request to a route, once it is known who asks and for which project. */
export interface Call<Path extends string> {
  readonly engine: Engine
  readonly caller: ManagementCaller
  /** The project that the caller acts in (rule M2). */
  readonly projectName: string
  /** The same, on the caller's behalf. */
  readonly project: Project
  readonly params: ParamsOf<Path>
  /** Set: the request is to run once. The project knows of it; operations on projects themselves are given it. */
  readonly once: Once | undefined
  /** Counts the credentials of customers that are refused. */
  readonly guesses: GuessThrottle
  /** The streams of changes that are open. */
  readonly feed: FeedHub
  /** The header `Accept`. */
  readonly accept: string | undefined
  /** Not checked yet: the engine's operations do that. Undefined: the request had none. */
  readonly body: unknown
  /** Read from text by the route's schema; not checked yet either. */
  readonly query: Readonly<Record<string, unknown>>
}

export interface Answer {
  readonly status: 200 | 201 | 204
  readonly description: string
  /** Absent with 204, and where the answer is no JSON. */
  readonly schema?: TSchema
}

/**
 * A route of the management API: how it is guarded, what it does, and all that the API reference and the generated
 * client say about it. There is no other way to add one, so none can be without a verb.
 */
export interface Route<Path extends string = string> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** As in OpenAPI, with names between braces. */
  readonly path: Path
  /** What the caller's management key must be allowed to do (rule M6). */
  readonly verb: Verb
  /** Becomes the name of the client's method. */
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  readonly description: string
  readonly query?: TObject
  readonly body?: TSchema
  /** True: a request without a body means the same as `{}`. */
  readonly bodyOptional?: boolean
  /** For the few whose body may be larger than others (http-limits.ts). */
  readonly maxBodyBytes?: number
  readonly answer: Answer
  /** What can go wrong beside what every route has in common (openapi/document.ts). */
  readonly problems?: readonly ErrorCode[]
  /** True: an answer that is no error is logged at `debug` only. */
  readonly quiet?: boolean
  /**
   * False: the route runs no command, or several, and an `Idempotency-Key` says nothing to it. Every other route that
   * changes something runs one, and answers what that answered.
   */
  readonly once?: false
  /**
   * It is called so often that it has the short way (direct/direct-lane.ts). Only of a `POST` without parameters and query.
   * `at-once`: for each request that somebody's users make; an `Idempotency-Key` says nothing to it. `in-turn`: it changes
   * something, and waits for its turn.
   */
  readonly direct?: 'at-once' | 'in-turn'
  /** What to answer, or a promise of it. */
  handle(call: Call<Path>): unknown
  /** The answer as JSON; `JSON.stringify` if absent. */
  serialize?(result: unknown): string
  /** What else the answer is written as, for who asks for it by `Accept`. */
  readonly formats?: readonly Format[]
}

/** A page written as something else than JSON: one item a line. The cursor of the next one comes in a header. */
export interface Format {
  readonly mediaType: string
  /** What that holds, for the API reference. */
  readonly description: string
  /** Absent: the route answers it by itself, as a {@link Streamed}. */
  write?(page: Page<unknown>): string
}

/** An answer that is written while it is made. */
export class Streamed {
  readonly mediaType: string
  readonly body: Readable

  constructor(mediaType: string, body: Readable) {
    this.mediaType = mediaType
    this.body = body
  }
}

export const JSON_MEDIA_TYPE = 'application/json; charset=utf-8'

/** An answer as JSON. */
export function serialize(route: Route, result: unknown): string {
  return route.serialize?.(result) ?? JSON.stringify(result)
}

export function defineRoute<const Path extends `/v1/${string}`>(route: Route<Path>): Route {
  return route
}
