import { loadKey } from '../keys/key.ts'
import type { Scope } from '../scope.ts'
import { authorizeRead, managementPlace } from './authorize.ts'
import { loadManagementKeyView, type ManagementKeyView } from './management-key-view.ts'

/** Throws `not_found` for a key bound to a project that the caller does not see, and for a customer's key. */
export async function readManagementKey(scope: Scope, id: string): Promise<ManagementKeyView> {
  const rights = await authorizeRead(scope, 'management-keys:read')
  const row = await loadKey(scope.reader, managementPlace(rights), id)
  return loadManagementKeyView(scope.reader, row, scope.clock.nowMs())
}
