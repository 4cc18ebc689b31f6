import type { Engine, ErrorCode, ManagementCaller, Project, Verb } from '@claviger/engine'
import type { TObject, TSchema } from 'typebox'

/** The names between braces: `{ id: string }` of `/v1/keys/{id}`. */
type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [Key in Name]: string } & ParamsOf<Rest>
  : unknown

/** One request to a route, once it is known who asks and for which project. */
export interface Call<Path extends string> {
  readonly engine: Engine
  readonly caller: ManagementCaller
  /** The project that the caller acts in, on the caller's behalf (rule M2). */
  readonly project: Project
  readonly params: ParamsOf<Path>
  /** Not checked yet: the engine's operations do that. Undefined: the request had none. */
  readonly body: unknown
  /** Read from text by the route's schema; not checked yet either. */
  readonly query: Readonly<Record<string, unknown>>
}

export interface Answer {
  readonly status: 200 | 201 | 204
  readonly description: string
  /** Absent with 204. */
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
  handle(call: Call<Path>): Promise<unknown>
  /** The answer as JSON; `JSON.stringify` if absent. */
  serialize?(result: unknown): string
}

export function defineRoute<const Path extends `/v1/${string}`>(route: Route<Path>): Route {
  return route
}
