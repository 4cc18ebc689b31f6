/** The claims that have a meaning here, in the order of a usual token. */
export const KNOWN_CLAIMS = [
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'client_id',
  'scope',
  'roles',
  'permissions',
  'sid',
  'pos',
  'cnf',
  'status',
  'parents',
] as const

export type KnownClaim = (typeof KNOWN_CLAIMS)[number]

/** The payload of a token as it was written, nothing checked but that it is strict JSON. */
export interface Payload extends Record<KnownClaim, unknown> {
  /** All other claims; undefined when there are none. */
  custom: Record<string, unknown> | undefined
}

/** One literal for all: objects made alike are read fast. */
export function emptyPayload(): Payload {
  return {
    iss: undefined,
    sub: undefined,
    aud: undefined,
    exp: undefined,
    nbf: undefined,
    iat: undefined,
    jti: undefined,
    client_id: undefined,
    scope: undefined,
    roles: undefined,
    permissions: undefined,
    sid: undefined,
    pos: undefined,
    cnf: undefined,
    status: undefined,
    parents: undefined,
    custom: undefined,
  }
}

/** Sorts the members of a payload into known and custom ones. */
export function payloadOf(members: Readonly<Record<string, unknown>>): Payload {
  const payload = emptyPayload()
  for (const name of Object.keys(members)) {
    if (isKnownClaim(name, payload)) {
      payload[name] = members[name]
    } else if (name !== '__proto__') {
      payload.custom ??= {}
      payload.custom[name] = members[name]
    }
  }
  return payload
}

function isKnownClaim(name: string, payload: Payload): name is KnownClaim {
  return name !== 'custom' && Object.hasOwn(payload, name)
}
