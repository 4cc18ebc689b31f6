import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'
import { loadKeyShape } from './key-shape.ts'
import { type KeyShapeView, viewKeyShape } from './key-shape-view.ts'

/** Throws `not_found` for a shape of another project too. */
export async function readKeyShape(scope: Scope, name: string): Promise<KeyShapeView> {
  await authorizeRead(scope, 'keys:read')
  return viewKeyShape(await loadKeyShape({ db: scope.reader, projectId: scope.projectId }, name))
}
