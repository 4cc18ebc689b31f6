import {
  CreateSessionInput,
  ListSessionsInput,
  PageOf,
  Receipt,
  RefreshSessionInput,
  RevokeSessionInput,
  SessionTokens,
  SessionView,
} from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

const tag = 'Sessions'

export const sessionRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/v1/sessions',
    verb: 'sessions:write',
    operationId: 'createSession',
    tag,
    summary: 'Begin a session',
    description:
      "For a subject that the caller has logged in. Without roles and permissions it takes those of the subject's record, as they are at each refresh. What its tokens hold must be within the management key's grants.",
    body: CreateSessionInput,
    answer: { status: 201, description: 'The first tokens of the session.', schema: SessionTokens },
    problems: ['exceeds_grants', 'revoked', 'suspended', 'busy', 'cap_reached'],
    direct: 'in-turn',
    handle: ({ project, body }) => project.sessions.create(body),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/sessions/refresh',
    verb: 'sessions:write',
    operationId: 'refreshSession',
    tag,
    summary: 'Refresh a session',
    description:
      'Exchanges a refresh token for its successor and a fresh access token. Who lost the answer asks again within 30 seconds and gets the same successor. A refresh token that comes back later, or after its successor was used, ends the session and all that was issued in it.',
    body: RefreshSessionInput,
    answer: { status: 200, description: 'The next tokens of the session.', schema: SessionTokens },
    problems: ['exceeds_grants', 'suspended', 'session_ended', 'refresh_token_reused', 'busy'],
    once: false,
    direct: 'in-turn',
    handle: ({ project, body }) => project.sessions.refresh(body),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/sessions',
    verb: 'sessions:read',
    operationId: 'listSessions',
    tag,
    summary: 'List sessions',
    description: 'The newest first, in whatever state.',
    query: ListSessionsInput,
    answer: { status: 200, description: 'One page of sessions.', schema: PageOf(SessionView) },
    handle: ({ project, query }) => project.sessions.list(query),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/sessions/{id}',
    verb: 'sessions:read',
    operationId: 'readSession',
    tag,
    summary: 'Read a session',
    description: 'All that is known of the session, except its tokens.',
    answer: { status: 200, description: 'The session.', schema: SessionView },
    handle: ({ project, params }) => project.sessions.read(params.id),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/sessions/{id}/revoke',
    verb: 'sessions:write',
    operationId: 'revokeSession',
    tag,
    summary: 'End a session',
    description:
      'Logs out: its refresh token and every access token that was issued in it are refused from the next call on. To end all that a subject has, revoke its tokens: `POST /v1/revocations` with `subject` and `only: tokens`.',
    body: RevokeSessionInput,
    bodyOptional: true,
    answer: { status: 200, description: 'The receipt.', schema: Receipt },
    handle: ({ project, params, body }) => project.sessions.revoke(params.id, body),
  }),
]
