import { ListSigningKeysInput, PageOf, SigningKeyView } from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

export const signingKeyRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/v1/signing-keys',
    verb: 'signing-keys:read',
    operationId: 'listSigningKeys',
    tag: 'Signing keys',
    summary: 'List signing keys',
    description: "The project's keyring with its history, without the private parts.",
    query: ListSigningKeysInput,
    answer: { status: 200, description: 'One page of signing keys.', schema: PageOf(SigningKeyView) },
    handle: ({ project, query }) => project.signingKeys.list(query),
  }),
]
