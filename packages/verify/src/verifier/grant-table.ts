import { Grant } from './grant.ts'
import type { GrantedRights } from './live-rights.ts'

type List = 'roles' | 'permissions' | 'scopes'

const MAX_STEPS = 50_000

/**
 * The grants of a project, each once: most credentials were granted one of few. They are found list member by
 * list member, which hashes short texts that are met all the time, and builds no key.
 */
export class GrantTable {
  #root = new Step('roles', '')
  #steps = 0

  share(granted: GrantedRights): Grant {
    let step = this.#root
    for (const role of granted.roles) step = this.#follow(step, 'roles', role)
    for (const permission of granted.permissions) step = this.#follow(step, 'permissions', permission)
    if (granted.scopes === null) {
      step.unnarrowed ??= new Grant(granted)
      return step.unnarrowed
    }
    for (const scope of granted.scopes) step = this.#follow(step, 'scopes', scope)
    step.narrowed ??= new Grant(granted)
    return step.narrowed
  }

  #follow(step: Step, list: List, name: string): Step {
    const last = step.last
    if (last !== undefined && last.list === list && last.name === name) return last
    const known = step[list]?.get(name)
    if (known !== undefined) {
      step.last = known
      return known
    }
    if (++this.#steps > MAX_STEPS) this.#clear()
    const made = new Step(list, name)
    step[list] ??= new Map()
    step[list].set(name, made)
    return made
  }

  /** Begins anew: grants in use live on with their credentials, and are shared no more. */
  #clear(): void {
    this.#root = new Step('roles', '')
    this.#steps = 0
  }
}

/** A place in the table: what was granted up to here, and how it may go on. */
class Step {
  readonly list: List
  readonly name: string
  /** Where it went on last time: comparing one text is cheaper than hashing it. */
  last: Step | undefined = undefined
  roles: Map<string, Step> | undefined = undefined
  permissions: Map<string, Step> | undefined = undefined
  scopes: Map<string, Step> | undefined = undefined
  /** The grant that ends here without a list of scopes. */
  unnarrowed: Grant | undefined = undefined
  /** The grant that ends here with one. */
  narrowed: Grant | undefined = undefined

  constructor(list: List, name: string) {
    this.list = list
    this.name = name
  }
}
