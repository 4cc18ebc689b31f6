import { type JsonSchema, resolveSchema, type Schemas } from './json-schema.ts'

/** Requests that show what a route is for; another route's shows the members that it must have. */
const BODIES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  verifyCredential: {
    credential: 'ck_Vb3nQ0aZ…',
    require: { permissions: 'documents:read and (billing:* or admin:all)' },
    context: { ip: '203.0.113.7' },
  },
  createKey: { name: 'Acme production', subject: 'customer-42', roles: ['reader'] },
  changeKey: { disabled: true },
  rotateKey: { overlapSeconds: 86_400 },
  revokeKey: { reason: 'It was found in a public repository.' },
  mintToken: { subject: 'user-7', audience: 'https://api.example.com', roles: ['reader'], ttlSeconds: 300 },
  putAudience: { ttlSeconds: 300, algorithm: 'ES256', claims: { region: 'eu' } },
  createRevocation: { subject: 'user-7', only: 'tokens', reason: 'The laptop was stolen.' },
  putRole: { permissions: ['documents:read', 'documents:list'] },
  putSubject: { roles: ['reader'], quota: { limit: 100_000, refill: 'monthly' }, metadata: { plan: 'gold' } },
  patchSubject: { disabled: true },
  createProject: { name: 'acme' },
  changeProject: { caps: { keys: 100_000 } },
  createManagementKey: { name: 'backend', preset: 'backend', grants: ['documents:*'] },
  changeManagementKey: { grants: ['documents:read'] },
  rotateManagementKey: { overlapSeconds: 86_400 },
  grantLease: {
    verifier: { id: 'PGpMYCsLHUXnhsvZ0OQ7', name: 'orders-1' },
    nonce: '4rGq0bXK8jv1yTz2WmN5cA',
    applied: '1-k3Xw9QaB:1842',
  },
  releaseLease: { verifier: { id: 'PGpMYCsLHUXnhsvZ0OQ7' } },
  resolveKeys: { digests: ['47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'] },
  leaseLimits: {
    verifier: { id: 'PGpMYCsLHUXnhsvZ0OQ7' },
    calls: [{ holders: [{ kind: 'subject', id: 'customer-42' }], cost: 1, wanted: 1 }],
  },
  reportUsage: {
    verifier: { id: 'PGpMYCsLHUXnhsvZ0OQ7' },
    batch: 'nQ0aZVb3k8rXw9QaBt5L',
    counts: [
      {
        kind: 'key',
        keyId: 'key_0199c1f0a2b37c4d8e5f60718293a4b5',
        subject: 'customer-42',
        outcome: 'ok',
        tags: '[]',
        ip: '203.0.113.7',
        count: 3,
        atMs: 1_801_656_300_000,
      },
    ],
  },
  revokeManagementKey: { reason: 'Its holder has left.' },
}

/** Answers whose members do not all stand there at once. */
const ANSWERS: Readonly<Record<string, readonly unknown[]>> = {
  mintToken: [
    {
      id: 'tok_0199c1f0a2b37c4d8e5f60718293a4b5',
      credential: 'eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIs…',
      expiresAt: '2027-01-31T12:05:00.000Z',
    },
  ],
  verifyCredential: [
    {
      ok: true,
      kind: 'key',
      id: 'key_0199c1f0a2b37c4d8e5f60718293a4b5',
      project: 'default',
      subject: 'customer-42',
      roles: ['reader'],
      permissions: ['documents:read'],
      expiresAt: null,
      metadata: { plan: 'gold' },
      limits: [{ of: 'subject', name: 'quota', limit: 100_000, remaining: 99_995, resetSeconds: 482_912 }],
    },
    {
      ok: false,
      code: 'revoked',
      detail: 'The credential was revoked. Ask for a new one.',
      status: 401,
      kind: 'key',
      id: 'key_0199c1f0a2b37c4d8e5f60718293a4b5',
    },
  ],
}

/** The prefix of the ids that a noun's routes answer with, by the first part of their path. */
const ID_PREFIXES: Readonly<Record<string, string>> = {
  keys: 'key',
  'management-keys': 'key',
  tokens: 'tok',
  revocations: 'rev',
  projects: 'prj',
  sessions: 'ses',
}

/** What members of these names hold in an example, where their schema says nothing better. */
const SAMPLES: Readonly<Record<string, unknown>> = {
  name: 'Acme production',
  subject: 'customer-42',
  prefix: 'ck',
  keyPrefix: 'ck',
  locator: 'Vb3nQ0aZ',
  roles: ['reader'],
  permissions: ['documents:read'],
  scopes: ['documents:read'],
  verbs: ['keys:read', 'keys:write'],
  grants: ['documents:*'],
  credential: 'ck_Vb3nQ0aZ…',
  project: 'default',
  issuer: 'https://auth.example.com',
  audience: 'https://api.example.com',
  clientId: 'key_0199c1f0a2b37c4d8e5f60718293a4b5',
  algorithm: 'RS256',
  metadata: { plan: 'gold' },
  limits: [{ name: 'per-minute', limit: 600, windowSeconds: 60 }],
  quota: { limit: 100_000, refill: 'monthly' },
  claims: { region: 'eu' },
  ttlSeconds: 600,
  expiresAt: null,
  notBefore: null,
  revokedAt: null,
  revokeReason: null,
  validUntil: null,
  supersededAt: null,
  retiredAt: null,
  retiresAt: null,
  ipAllow: null,
  effective: true,
  sequence: 1042,
  mac: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  signature:
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  commandId: 'cmd_0199c1f0a2b37c4d8e5f60718293a4b5',
  publicPem: '-----BEGIN PUBLIC KEY-----\nMIIB…\n-----END PUBLIC KEY-----\n',
  publishAheadSeconds: 600,
  sessionId: 'ses_0199c1f0a2b37c4d8e5f60718293a4b5',
  position: '1-Qd3xW0aB:42',
  verifiers: [],
  accessToken: 'eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIs…',
  refreshToken: 'ck_rt_7Hq0TzWc…',
  device: 'Firefox on Linux',
  endReason: null,
  nextCursor: null,
  ip: '203.0.113.7',
  reason: null,
  detail: 'The credential was revoked. Ask for a new one.',
  target: 'customer-42',
  action: 'key.create',
  actor: 'key_0199c1f0a2b37c4d8e5f60718293a4b5',
  publicJwk: { kty: 'RSA', n: '…', e: 'AQAB' },
}

const MAX_DEPTH = 5

/** The body of an example request; undefined where the route takes none. */
export function exampleBody(operationId: string, schema: JsonSchema | undefined, schemas: Schemas): unknown {
  if (schema === undefined) return undefined
  return BODIES[operationId] ?? sampleOf(schema, schemas, { name: '', depth: 0, requiredOnly: true, id: '' })
}

/** Answers that fit the schema, one for each shape that it allows. */
export function exampleAnswers(
  { operationId, path }: { readonly operationId: string; readonly path: string },
  schema: JsonSchema,
  schemas: Schemas,
): readonly unknown[] {
  const id = exampleId(path)
  const shapes = resolveSchema(schema, schemas).anyOf ?? [schema]
  return (
    ANSWERS[operationId] ??
    shapes.map((shape) => sampleOf(shape, schemas, { name: '', depth: 0, requiredOnly: false, id }))
  )
}

/** An id as the routes under the path have it; signing keys go by their thumbprint. */
export function exampleId(path: string): string {
  const prefix = ID_PREFIXES[path.split('/')[2] ?? '']
  return prefix === undefined
    ? 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'
    : `${prefix}_0199c1f0a2b37c4d8e5f60718293a4b5`
}

interface Place {
  readonly name: string
  readonly depth: number
  readonly requiredOnly: boolean
  readonly id: string
}

function sampleOf(given: JsonSchema, schemas: Schemas, place: Place): unknown {
  const schema = resolveSchema(given, schemas)
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return schema.enum[0]
  if (place.name === 'id') return place.id
  const known = SAMPLES[place.name]
  if (Object.hasOwn(SAMPLES, place.name) && fits(known, schema, schemas)) return known
  if (schema.anyOf !== undefined) {
    const [first] = schema.anyOf
    return first === undefined ? null : sampleOf(first, schemas, place)
  }
  if (schema.properties !== undefined && place.depth < MAX_DEPTH) return objectOf(schema, schemas, place)
  if (schema.items !== undefined) {
    return [sampleOf(schema.items, schemas, { ...place, name: '', depth: place.depth + 1 })]
  }
  return plainSample(schema)
}

function objectOf(schema: JsonSchema, schemas: Schemas, place: Place): Readonly<Record<string, unknown>> {
  const members = Object.entries(schema.properties ?? {}).filter(
    ([name]) => !place.requiredOnly || schema.required?.includes(name) === true,
  )
  return Object.fromEntries(
    members.map(([name, member]) => [
      name,
      sampleOf(member, schemas, { ...place, name, depth: place.depth + 1 }),
    ]),
  )
}

function plainSample({ type, format, default: preset, minimum }: JsonSchema): unknown {
  if (preset !== undefined) return preset
  if (format === 'date-time') return '2027-01-31T12:00:00.000Z'
  if (type === 'integer' || type === 'number') return minimum ?? 1
  if (type === 'boolean') return false
  if (type === 'null') return null
  if (type === 'object') return {}
  return 'text'
}

/** Whether a sample is of one of the types that the schema allows: names are used for more than one thing. */
function fits(sample: unknown, schema: JsonSchema, schemas: Schemas): boolean {
  if (schema.anyOf !== undefined) {
    return schema.anyOf.some((option) => fits(sample, resolveSchema(option, schemas), schemas))
  }
  if (schema.enum !== undefined) return schema.enum.includes(sample)
  if (sample === null) return schema.type === 'null'
  if (Array.isArray(sample)) return schema.type === 'array'
  if (typeof sample === 'number') return schema.type === 'integer' || schema.type === 'number'
  if (typeof sample === 'object') return schema.type === 'object' && schema.properties === undefined
  return schema.type === typeof sample && schema.format === undefined
}
