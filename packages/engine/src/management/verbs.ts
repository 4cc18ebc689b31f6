/** What can be read and written through the management API (rule M6). */
const RESOURCES = [
  'keys',
  'subjects',
  'sessions',
  'roles',
  'revocations',
  'signing-keys',
  'issuers',
  'clients',
  'users',
  'webhooks',
  'projects',
  'management-keys',
  'usage',
  'audit',
] as const

const ACTIONS = [
  'credentials:verify',
  'credentials:resolve',
  'changes:read',
  'limits:lease',
  'usage:report',
  'tokens:mint',
  'leaks:report',
] as const

type Resource = (typeof RESOURCES)[number]

/** What a management key may do, apart from what it may hand out. */
export type Verb = (typeof ACTIONS)[number] | `${Resource}:${'read' | 'write'}`

/** Every verb, in the order of rule M6. */
export const VERBS: readonly Verb[] = [
  ...ACTIONS,
  ...RESOURCES.flatMap((resource): Verb[] => [`${resource}:read`, `${resource}:write`]),
]

/** Sets of verbs for the usual jobs (rule M6). */
export const PRESETS = {
  edge: ['changes:read', 'credentials:resolve', 'limits:lease', 'usage:report'],
  gateway: ['credentials:verify'],
  backend: [
    'credentials:verify',
    'tokens:mint',
    'keys:read',
    'keys:write',
    'subjects:read',
    'subjects:write',
    'sessions:read',
    'sessions:write',
    'revocations:read',
    'revocations:write',
  ],
  auditor: RESOURCES.map((resource): Verb => `${resource}:read`),
} as const satisfies Record<string, readonly Verb[]>

export const PRESET_NAMES = [
  'edge',
  'gateway',
  'backend',
  'auditor',
] as const satisfies readonly (keyof typeof PRESETS)[]

/** The grant of a root key: it may hand out everything (rule M1). */
export const ROOT_GRANTS: readonly string[] = ['*:*']
