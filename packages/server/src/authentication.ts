import {
  CodedError,
  DEFAULT_PROJECT,
  type Engine,
  ForeignProject,
  type ManagementCaller,
  type Verb,
} from '@claviger/engine'
import type { Refusal } from '@claviger/verify'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RefusedCaller } from './audit-refusals.ts'
import { BearerError } from './bearer-challenge.ts'
import { readPresentedCredential, readProjectHeader } from './presented-credential.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set on every route of the management API: what the caller must be allowed to do. */
    verb?: Verb
    /** True: asked all the time. It waits for no other request, and is logged at `debug` unless it is refused. */
    quiet?: boolean
    /** True: answered while the server starts, too. */
    health?: boolean
  }
  interface FastifyRequest {
    /** Set once the request has been authenticated. */
    caller: ManagementCaller | null
    /** The name of the project that the caller acts in. */
    projectName: string | null
  }
}

/**
 * Guards the management API: on each of its routes the credential is checked before anything else, then the verb,
 * then the project (rules M5, M6, M2). It runs before the body is read, and on addresses under /v1 that lead nowhere
 * too: who has no key learns nothing of what is there.
 */
export function guardManagement(server: FastifyInstance, engine: Engine): void {
  server.decorateRequest('caller', null)
  server.decorateRequest('projectName', null)
  server.addHook('onRoute', ({ url, config }) => {
    if (isManagementPath(url) && config?.verb === undefined)
      throw new TypeError(`${url} is not guarded by a verb`)
  })
  server.addHook('onRequest', (request, _reply, done) => {
    const { verb } = request.routeOptions.config
    if (verb === undefined && !(request.is404 && isManagementPath(request.url))) return done()
    authenticate(engine, request, verb ?? null).then(() => done(), done)
  })
}

/** Leaves the caller and the project in the request. `verb` null: any management key will do. */
export async function authenticate(
  engine: Engine,
  request: FastifyRequest,
  verb: Verb | null,
): Promise<void> {
  const { rawHeaders } = request.raw
  const credential = readPresentedCredential(rawHeaders)
  const context = { ip: request.ip, requestId: request.id }
  const caller =
    engine.authenticateCached(credential, context) ?? (await engine.authenticate(credential, context))
  if (!caller.ok) throw refusedCaller(caller)
  request.caller = caller
  request.projectName = admit(engine, caller, { rawHeaders, verb })
}

/** The name of the project that the caller acts in, once it is known to have the verb. */
export function admit(
  engine: Engine,
  caller: ManagementCaller,
  { rawHeaders, verb }: { rawHeaders: readonly string[]; verb: Verb | null },
): string {
  if (verb !== null && !caller.verbs.includes(verb)) {
    throw new BearerError(
      'forbidden',
      `The management key lacks the verb \`${verb}\`. Use one that has it.`,
      { error: 'insufficient_scope', scope: verb },
    )
  }
  return selectProject(engine, caller, readProjectHeader(rawHeaders))
}

/** The project that the caller acts in (rule M2): a bound key has one, and does not learn of others. */
function selectProject(
  engine: Engine,
  { project: bound }: ManagementCaller,
  named: string | undefined,
): string {
  if (bound !== null && named !== undefined && named !== bound) throw new ForeignProject()
  const project = bound ?? named ?? DEFAULT_PROJECT
  if (engine.hasProject(project)) return project
  throw new CodedError('not_found', 'There is no project of this name.')
}

function refusedCaller(refusal: Refusal): CodedError {
  if (refusal.code === 'unavailable') return new CodedError('unavailable', refusal.detail)
  return new RefusedCaller(refusal)
}

/** Whether a path belongs to the management API, however it is spelled: more is guarded rather than less. */
export function isManagementPath(url: string): boolean {
  const [path = ''] = url.split(/[?#]/, 1)
  return /^\/*v1(?:\/|$)/i.test(decode(path))
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
