import { AuditEntryView, ListAuditInput, PageOf } from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

export const auditRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/v1/audit',
    verb: 'audit:read',
    operationId: 'listAuditEntries',
    tag: 'Audit',
    summary: 'List audit entries',
    description: 'What was done in the project and by whom, the newest first.',
    query: ListAuditInput,
    answer: { status: 200, description: 'One page of entries.', schema: PageOf(AuditEntryView) },
    handle: ({ project, query }) => project.audit.list(query),
  }),
]
