import type { Engine, ManagementCaller, Once, Project } from '@claviger/engine'
import type { FeedHub } from './feed/feed-hub.ts'
import type { Call } from './routes/route.ts'
import type { GuessThrottle } from './throttling/guess-throttle.ts'
import type { InFlight } from './throttling/in-flight.ts'

/** What all requests to the management API share. */
export interface Api {
  readonly engine: Engine
  readonly inFlight: InFlight
  readonly guesses: GuessThrottle
  readonly feed: FeedHub
}

type Given = Omit<Call<string>, 'engine' | 'guesses' | 'feed' | 'project' | 'params'> & {
  readonly params: Readonly<Record<string, string>>
}

/** A request to a route, from whichever way it came. */
export class RequestCall implements Call<string> {
  readonly engine: Engine
  readonly guesses: GuessThrottle
  readonly caller: ManagementCaller
  readonly projectName: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
  readonly once: Once | undefined
  readonly feed: FeedHub
  readonly accept: string | undefined
  #project: Project | undefined

  constructor(
    { engine, guesses, feed }: Api,
    { caller, projectName, params, query, body, once, accept }: Given,
  ) {
    this.engine = engine
    this.guesses = guesses
    this.feed = feed
    this.accept = accept
    this.caller = caller
    this.projectName = projectName
    this.params = params
    this.query = query
    this.body = body
    this.once = once
  }

  /** Made when it is asked for: a verification has no use for it. */
  get project(): Project {
    this.#project ??= this.engine.project(this.projectName, this.caller.actor, this.once)
    return this.#project
  }
}
