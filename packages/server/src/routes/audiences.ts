import { AudienceView, ListAudiencesInput, PageOf, PutAudienceInput } from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

const tag = 'Audiences'

export const audienceRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/v1/audiences',
    verb: 'projects:read',
    operationId: 'listAudiences',
    tag,
    summary: 'List audiences with defaults',
    description: 'By name. Tokens may be minted for any other audience too.',
    query: ListAudiencesInput,
    answer: { status: 200, description: 'One page of audiences.', schema: PageOf(AudienceView) },
    handle: ({ project, query }) => project.audiences.list(query),
  }),
  defineRoute({
    method: 'PUT',
    path: '/v1/audiences/{audience}',
    verb: 'projects:write',
    operationId: 'putAudience',
    tag,
    summary: "Write an audience's defaults",
    description:
      'Creates or replaces what tokens for the audience get unless the call that mints them says otherwise: how long they live, what signs them, which claims they carry. The name is percent-encoded in the path. The management key needs `tokens:mint` besides, since it has a say in every later token.',
    body: PutAudienceInput,
    answer: { status: 200, description: 'The defaults as they are now.', schema: AudienceView },
    problems: ['cap_reached'],
    handle: ({ project, params, body }) => project.audiences.put(params.audience, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/audiences/{audience}',
    verb: 'projects:read',
    operationId: 'readAudience',
    tag,
    summary: "Read an audience's defaults",
    description: 'What tokens for the audience get unless the call says otherwise.',
    answer: { status: 200, description: 'The defaults.', schema: AudienceView },
    handle: ({ project, params }) => project.audiences.read(params.audience),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/audiences/{audience}',
    verb: 'projects:write',
    operationId: 'deleteAudience',
    tag,
    summary: "Delete an audience's defaults",
    description:
      'Tokens that were minted with them keep them. The management key needs `tokens:mint` besides, as for writing them.',
    answer: { status: 204, description: 'The defaults are gone.' },
    handle: ({ project, params }) => project.audiences.delete(params.audience),
  }),
]
