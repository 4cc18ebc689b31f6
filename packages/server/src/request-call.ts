import type { Engine, ManagementCaller, Project } from '@claviger/engine'
import type { Call } from './routes/route.ts'

type Given = Omit<Call<string>, 'project' | 'params'> & { readonly params: Readonly<Record<string, string>> }

/** A request to a route, from whichever way it came. */
export class RequestCall implements Call<string> {
  readonly engine: Engine
  readonly caller: ManagementCaller
  readonly projectName: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
  #project: Project | undefined

  constructor({ engine, caller, projectName, params, query, body }: Given) {
    this.engine = engine
    this.caller = caller
    this.projectName = projectName
    this.params = params
    this.query = query
    this.body = body
  }

  /** Made when it is asked for: a verification has no use for it. */
  get project(): Project {
    this.#project ??= this.engine.project(this.projectName, this.caller.actor)
    return this.#project
  }
}
