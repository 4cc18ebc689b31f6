import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { loadKey } from './key.ts'
import { type KeyView, loadKeyView } from './key-view.ts'

/** Throws `not_found` for a key of another project, a deleted key and a management key alike. */
export async function readKey(scope: Scope, id: string): Promise<KeyView> {
  await authorizeRead(scope, 'keys:read')
  const row = await loadKey(scope.reader, { kind: 'customer', projectId: scope.projectId }, id)
  return loadKeyView(scope.reader, row, scope.clock.nowMs())
}
