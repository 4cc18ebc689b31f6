import { MintedToken, MintTokenInput } from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

export const tokenRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/v1/tokens',
    verb: 'tokens:mint',
    operationId: 'mintToken',
    tag: 'Tokens',
    summary: 'Mint an access token',
    description:
      "A signed JWT (RFC 9068) that speaks for the subject. Rights that it is given must be within the management key's grants. With `parent` in place of `subject` it is derived from a token or an API key: it has the parent's rights or fewer, lives no longer, and is refused once the parent is revoked. An audience that a parent token is not for needs grants that cover the rights.",
    body: MintTokenInput,
    answer: { status: 201, description: 'The token.', schema: MintedToken },
    problems: ['exceeds_grants', 'exceeds_parent', 'parent_refused'],
    once: false,
    direct: 'at-once',
    handle: ({ project, body }) => project.tokens.mint(body),
  }),
]
