import { audienceRoutes } from './audiences.ts'
import { auditRoutes } from './audit.ts'
import { edgeRoutes } from './edge.ts'
import { keyShapeRoutes } from './key-shapes.ts'
import { keyRoutes } from './keys.ts'
import { managementKeyRoutes } from './management-keys.ts'
import { projectRoutes } from './projects.ts'
import { revocationRoutes } from './revocations.ts'
import { roleRoutes } from './roles.ts'
import type { Route } from './route.ts'
import { sessionRoutes } from './sessions.ts'
import { signingKeyRoutes } from './signing-keys.ts'
import { subjectRoutes } from './subjects.ts'
import { tokenRoutes } from './tokens.ts'
import { usageRoutes } from './usage.ts'
import { verifyRoutes } from './verify.ts'

/** Every route of the management API, in the order of the reference. */
export const ROUTES: readonly Route[] = [
  ...verifyRoutes,
  ...keyRoutes,
  ...keyShapeRoutes,
  ...tokenRoutes,
  ...sessionRoutes,
  ...audienceRoutes,
  ...revocationRoutes,
  ...roleRoutes,
  ...subjectRoutes,
  ...projectRoutes,
  ...signingKeyRoutes,
  ...managementKeyRoutes,
  ...usageRoutes,
  ...auditRoutes,
  ...edgeRoutes,
]
