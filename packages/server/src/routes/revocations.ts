import {
  CreateRevocationInput,
  ListRevocationsInput,
  PageOf,
  ReadReceiptInput,
  Receipt,
  RevocationView,
} from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

const tag = 'Revocations'

export const revocationRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/v1/revocations',
    verb: 'revocations:write',
    operationId: 'createRevocation',
    tag,
    summary: 'Revoke',
    description:
      'One verb for keys, tokens and sessions: one credential, all so far of a subject, a client or the whole project, or whatever a signing key has signed. With `ban`, whatever comes later too, until the ban is lifted.',
    body: CreateRevocationInput,
    answer: { status: 201, description: 'The receipt.', schema: Receipt },
    handle: ({ project, body }) => project.revocations.create(body),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/revocations',
    verb: 'revocations:read',
    operationId: 'listRevocations',
    tag,
    summary: 'List revocations',
    description: 'The newest first; lifted bans too.',
    query: ListRevocationsInput,
    answer: { status: 200, description: 'One page of revocations.', schema: PageOf(RevocationView) },
    handle: ({ project, query }) => project.revocations.list(query),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/revocations/{id}',
    verb: 'revocations:read',
    operationId: 'readRevocation',
    tag,
    summary: 'Read a receipt',
    description:
      'Whether the revocation is effective by now, so that no verifier anywhere answers ok for what it kills, and who is behind. With `waitSeconds` the answer waits for it.',
    query: ReadReceiptInput,
    answer: { status: 200, description: 'The receipt.', schema: Receipt },
    handle: ({ project, params, query }) => project.revocations.read(params.id, query),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/revocations/{id}',
    verb: 'revocations:write',
    operationId: 'liftRevocation',
    tag,
    summary: 'Lift a ban',
    description:
      'What is issued from now on lives; what was issued before stays revoked. Only a ban can be lifted: every other revocation is for good.',
    answer: {
      status: 200,
      description: 'The receipt of the revocation that the ban leaves behind.',
      schema: Receipt,
    },
    problems: ['exceeds_grants'],
    handle: ({ project, params }) => project.revocations.lift(params.id),
  }),
]
