import { KeyShapeView, ListKeyShapesInput, PageOf, PutKeyShapeInput } from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

const tag = 'Key shapes'

export const keyShapeRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/v1/key-shapes',
    verb: 'keys:read',
    operationId: 'listKeyShapes',
    tag,
    summary: 'List key shapes',
    description: 'The shapes of keys that were issued elsewhere, by name.',
    query: ListKeyShapesInput,
    answer: { status: 200, description: 'One page of key shapes.', schema: PageOf(KeyShapeView) },
    handle: ({ project, query }) => project.keyShapes.list(query),
  }),
  defineRoute({
    method: 'PUT',
    path: '/v1/key-shapes/{name}',
    verb: 'keys:write',
    operationId: 'putKeyShape',
    tag,
    summary: 'Register a key shape',
    description:
      'Lets verifiers recognise keys that were issued elsewhere, once they are imported. A shape never changes; one whose keys could be guessed from their hashes, or could be keys or tokens of our own, is refused.',
    body: PutKeyShapeInput,
    answer: { status: 200, description: 'The key shape.', schema: KeyShapeView },
    problems: ['already_exists'],
    handle: ({ project, params, body }) => project.keyShapes.put(params.name, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/key-shapes/{name}',
    verb: 'keys:read',
    operationId: 'readKeyShape',
    tag,
    summary: 'Read a key shape',
    description: 'The key shape.',
    answer: { status: 200, description: 'The key shape.', schema: KeyShapeView },
    handle: ({ project, params }) => project.keyShapes.read(params.name),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/key-shapes/{name}',
    verb: 'keys:write',
    operationId: 'deleteKeyShape',
    tag,
    summary: 'Delete a key shape',
    description: 'Only when no key that lives is known by a text of it.',
    answer: { status: 204, description: 'The key shape is gone.' },
    problems: ['in_use'],
    handle: ({ project, params }) => project.keyShapes.delete(params.name),
  }),
]
