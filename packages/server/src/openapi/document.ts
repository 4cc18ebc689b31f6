import { ERROR_CODES, type ErrorCode } from '@claviger/engine'
import type { TSchema } from 'typebox'
import { PROBLEM_MEDIA_TYPE } from '../problem.ts'
import type { Route } from '../routes/route.ts'
import { COMPONENTS } from './components.ts'

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }
type JsonObject = { readonly [name: string]: Json }

/** What a request to any route can meet, whatever the route does. */
const COMMON_PROBLEMS: readonly ErrorCode[] = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'not_found',
  'too_many_requests',
  'internal',
  'unavailable',
]

/** What a request that changes something can meet besides. */
const WRITE_PROBLEMS: readonly ErrorCode[] = ['storage_full']

/** What a request that carries an idempotency key can meet besides. */
const ONCE_PROBLEMS: readonly ErrorCode[] = ['answer_lost', 'idempotency_key_reused']

/** What a request with a body can meet besides. */
const BODY_PROBLEMS: readonly ErrorCode[] = ['request_timeout', 'payload_too_large', 'unsupported_media_type']

/**
 * The OpenAPI 3.1 document of the management API: a pure function of the route table, so that the reference, the
 * client and the running server cannot differ. TypeBox schemas are JSON Schema and go in as they are.
 */
export function openApiDocument(routes: readonly Route[], version: string): JsonObject {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Claviger',
      version,
      description: 'Issues, verifies, rotates and revokes API keys and JSON Web Tokens.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'The server that this document comes from.' }],
    security: [{ bearer: [] }, { apiKey: [] }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths: pathsOf(routes),
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A management key.' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'A management key.' },
      },
      parameters: {
        Project: {
          name: 'Claviger-Project',
          in: 'header',
          required: false,
          description:
            'The project to act in. Root acts in `default` without it; a key that is bound to a project acts in that one, and is answered 404 when it names another.',
          schema: { type: 'string' },
        },
        IdempotencyKey: {
          name: 'Idempotency-Key',
          in: 'header',
          required: false,
          description:
            'A text of your own, such as a random UUID. The same request with the same key within 24 hours is not carried out again: it gets the answer of the first time. A refusal is not remembered, for nothing was done.',
          schema: { type: 'string', minLength: 1, maxLength: 255 },
        },
      },
      schemas: Object.fromEntries(COMPONENTS.map(([name, schema]) => [name, withReferences(schema, name)])),
    },
  }
}

function pathsOf(routes: readonly Route[]): JsonObject {
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes) {
    const path = paths[route.path] ?? {}
    path[route.method.toLowerCase()] = operationOf(route)
    paths[route.path] = path
  }
  return paths
}

function operationOf(route: Route): JsonObject {
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    description: `${route.description}\n\nThe management key needs the verb \`${route.verb}\`.`,
    parameters: [
      ...pathParameters(route),
      ...queryParameters(route),
      { $ref: '#/components/parameters/Project' },
      ...(runsOnce(route) ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
    ],
    ...(route.body === undefined
      ? {}
      : { requestBody: requestBody(route.body, route.bodyOptional === true) }),
    responses: { [String(route.answer.status)]: answerOf(route), ...problemsOf(route) },
  }
}

function runsOnce(route: Route): boolean {
  return route.method !== 'GET' && route.once !== false
}

function pathParameters(route: Route): readonly JsonObject[] {
  return [...route.path.matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', minLength: 1 },
  }))
}

function queryParameters({ query }: Route): readonly JsonObject[] {
  if (query === undefined) return []
  // TypeBox leaves `required` out when nothing is.
  const required: unknown = withReferences(query).required ?? []
  return Object.entries(query.properties).map(([name, property]) => {
    const { description, ...schema } = withReferences(property)
    return {
      name,
      in: 'query',
      required: Array.isArray(required) && required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    }
  })
}

function requestBody(schema: TSchema, optional: boolean): JsonObject {
  return { required: !optional, content: { 'application/json': { schema: withReferences(schema) } } }
}

function answerOf({ answer, formats = [] }: Route): JsonObject {
  if (answer.schema === undefined && formats.length === 0) return { description: answer.description }
  const others = formats.map(({ mediaType, description }) => [
    mediaType,
    { schema: { type: 'string', description } },
  ])
  return {
    description: answer.description,
    content: {
      ...(answer.schema === undefined
        ? {}
        : { 'application/json': { schema: withReferences(answer.schema) } }),
      ...Object.fromEntries(others),
    },
  }
}

/** One response for each status, which names the codes that can come with it. */
function problemsOf(route: Route): JsonObject {
  const codes = new Set<ErrorCode>([
    ...COMMON_PROBLEMS,
    ...(route.method === 'GET' || route.quiet === true ? [] : WRITE_PROBLEMS),
    ...(runsOnce(route) ? ONCE_PROBLEMS : []),
    ...(route.body === undefined ? [] : BODY_PROBLEMS),
    ...(route.problems ?? []),
  ])
  const byStatus = Map.groupBy(codes, (code) => ERROR_CODES[code].status)
  return Object.fromEntries(
    [...byStatus]
      .sort(([first], [second]) => first - second)
      .map(([status, list]) => [
        String(status),
        {
          description: list.map((code) => `\`${code}\`: ${ERROR_CODES[code].title}.`).join(' '),
          content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      ]),
  )
}

const REFERENCES = new Map(COMPONENTS.map(([name, schema]) => [JSON.stringify(schema), name]))

/** The schema as plain JSON, with a reference wherever a named component stands in it; `except` is itself. */
function withReferences(schema: TSchema, except?: string): JsonObject {
  const plain: unknown = JSON.parse(JSON.stringify(schema))
  return replace(plain, except) as JsonObject
}

function replace(value: unknown, except: string | undefined): Json {
  if (typeof value !== 'object' || value === null) return value as Json
  if (Array.isArray(value)) return value.map((item) => replace(item, except))
  const name = REFERENCES.get(JSON.stringify(value))
  if (name !== undefined && name !== except) return { $ref: `#/components/schemas/${name}` }
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, replace(member, except)]))
}
