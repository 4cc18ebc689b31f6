import type { VerifyRequest } from '@claviger/verify'
import type { Answer } from '../faults/child-server.ts'

type Call = (method: string, path: string, body?: unknown) => Promise<Answer>

/** By what a credential stops passing, and the code that says so. */
export const REFUSALS = {
  key: 'revoked',
  role: 'insufficient_permissions',
  addresses: 'ip_denied',
  subject: 'disabled',
} as const

export type TakenBy = keyof typeof REFUSALS

/** What somebody holds, who may pass by it until something is taken away, and what is known of that. */
export interface Held {
  readonly takenBy: TakenBy
  /** Of its key, and of the role or the subject that the key alone has. */
  readonly name: string
  readonly keyId: string
  readonly request: VerifyRequest
  /** `unknown`: the server did not say what became of the last change. */
  state: 'valid' | 'taken' | 'unknown'
  wasEverTaken: boolean
  /** When it was acknowledged that it is issued, nanoseconds of the clock that all processes share. */
  readonly issuedAt: bigint
  /** When it was acknowledged that it is taken. */
  takenAt?: bigint | undefined
  /** When it was known that nobody answers from before that any more. */
  effectiveAt?: bigint | undefined
}

const ADDRESS = '192.0.2.1'
let made = 0

/** Issues a key that passes, and that stops passing when the thing is taken from it. */
export async function issue(call: Call, takenBy: TakenBy): Promise<Held> {
  const name = `${takenBy}-${++made}`
  if (takenBy === 'role') await expectDone(call('PUT', `/v1/roles/${name}`, { permissions: ['documents:*'] }))
  const key = await expectDone(
    call('POST', '/v1/keys', {
      name,
      ...(takenBy === 'role' ? { roles: [name] } : {}),
      ...(takenBy === 'subject' ? { subject: name } : {}),
    }),
  )
  return {
    takenBy,
    name,
    keyId: key.id,
    request: {
      credential: key.credential,
      context: { ip: ADDRESS },
      ...(takenBy === 'role' ? { require: { permissions: 'documents:read' } } : {}),
    },
    state: 'valid',
    wasEverTaken: false,
    issuedAt: process.hrtime.bigint(),
  }
}

/** Takes it away; answers what the server said. */
export function take(call: Call, held: Held): Promise<Answer['body']> {
  const { keyId, takenBy } = held
  if (takenBy === 'key') return expectDone(call('POST', `/v1/keys/${keyId}/revoke`, {}))
  return change(call, held, {
    role: { permissions: ['documents:write'] },
    addresses: { ipAllow: ['198.51.100.0/24'] },
    subject: { disabled: true },
  })
}

/** Gives it back, where that can be. */
export function giveBack(call: Call, held: Held): Promise<Answer['body']> {
  return change(call, held, {
    role: { permissions: ['documents:*'] },
    addresses: { ipAllow: null },
    subject: { disabled: false },
  })
}

function change(
  call: Call,
  { takenBy, keyId, name }: Held,
  to: Readonly<Record<Exclude<TakenBy, 'key'>, object>>,
): Promise<Answer['body']> {
  if (takenBy === 'role') return expectDone(call('PUT', `/v1/roles/${name}`, to.role))
  if (takenBy === 'subject') return expectDone(call('PUT', `/v1/subjects/${name}`, to.subject))
  return expectDone(call('PATCH', `/v1/keys/${keyId}`, to.addresses))
}

async function expectDone(answering: Promise<Answer>): Promise<Answer['body']> {
  const { status, body } = await answering
  if (status < 300) return body
  throw new Error(`${status}: ${body?.code}`)
}
