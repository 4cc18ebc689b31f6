import { Grant } from '../verifier/grant.ts'
import type { GrantedRights } from '../verifier/live-rights.ts'

const MAX_GRANTS = 10_000

/**
 * In place of the table that is walked list member by list member: that spares a credential seen for the first time the
 * making of a text, and costs more code than that is worth where its signature is checked off the thread.
 */
export class GrantTable {
  readonly #grants = new Map<string, Grant>()

  share(granted: GrantedRights): Grant {
    const text = JSON.stringify([granted.roles, granted.permissions, granted.scopes])
    const known = this.#grants.get(text)
    if (known !== undefined) return known
    // Grants in use live on with their credentials, and are shared no more.
    if (this.#grants.size >= MAX_GRANTS) this.#grants.clear()
    const grant = new Grant(granted)
    this.#grants.set(text, grant)
    return grant
  }
}
