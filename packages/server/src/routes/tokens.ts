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
      "A signed JWT (RFC 9068) that speaks for the subject. Rights that it is given must be within the management key's grants.",
    body: MintTokenInput,
    answer: { status: 201, description: 'The token.', schema: MintedToken },
    problems: ['exceeds_grants'],
    handle: ({ project, body }) => project.tokens.mint(body),
  }),
]
