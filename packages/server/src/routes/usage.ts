import { PageOf, ReadUsageInput, UsageView } from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

export const usageRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/v1/usage',
    verb: 'usage:read',
    operationId: 'readUsage',
    tag: 'Usage',
    summary: 'Read usage',
    description:
      'How often credentials of the project were verified, those that were refused included: by key, subject, outcome, tag, client address, kind and time.',
    query: ReadUsageInput,
    answer: { status: 200, description: 'The counts.', schema: PageOf(UsageView) },
    handle: ({ project, query }) => project.usage.read(query),
  }),
]
