import { Readable } from 'node:stream'
import {
  EdgeVerifiers,
  LeasedLimits,
  LeaseInput,
  LeaseLimitsInput,
  LeaseView,
  ReadChangesInput,
  ReleaseLeaseInput,
  ResolvedKeys,
  ResolveInput,
  readPlace,
  UsageReported,
  UsageReportInput,
} from '@claviger/engine'
import Type from 'typebox'
import { acceptedFormat } from '../accepted-format.ts'
import { type Call, defineRoute, type Format, type Route, Streamed } from './route.ts'

const TAG = 'Edge verifiers'
/** Who has not taken a snapshot by then takes up a transaction for nothing. */
const SNAPSHOT_TIMEOUT_MS = 60_000

/** A thousand counts with long names and many tags. */
const MAX_USAGE_BYTES = 4 * 1024 * 1024

const EVENT_STREAM: Format = {
  mediaType: 'text/event-stream',
  description:
    'Server-sent events: `hello`, then a `change` each, whose id is its position; `reset` and `end` close the stream.',
}

const SNAPSHOT: Format = {
  mediaType: 'application/x-ndjson',
  description:
    'JSON lines: the head (`project`, `position`, `epochs`), a fact each, and `{"end": true, "facts": n}`. A body without that end was cut short.',
}

const Position = Type.Object({ epoch: Type.String(), number: Type.Integer() })

const ChangesView = Type.Object({
  changes: Type.Optional(
    Type.Array(
      Type.Object({
        position: Position,
        atMs: Type.Integer(),
        commandId: Type.String(),
        facts: Type.Array(Type.Unknown()),
      }),
      { description: 'In order, without gaps, from right after the place.' },
    ),
  ),
  head: Type.String({ description: 'How far the project is, `epoch:number`.' }),
  more: Type.Optional(Type.Boolean({ description: 'There are more than these.' })),
  reset: Type.Optional(Type.Literal(true, { description: 'The place is not known: load a snapshot.' })),
})

export const edgeRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/v1/changes',
    verb: 'changes:read',
    operationId: 'readChanges',
    tag: TAG,
    summary: 'Follow the changes',
    description:
      'All that a verifier must know of what changes in the project, in order. With `Accept: text/event-stream` as a stream that goes on; else the next 1,000 at most.',
    query: ReadChangesInput,
    answer: { status: 200, description: 'The changes after the place.', schema: ChangesView },
    formats: [EVENT_STREAM],
    quiet: true,
    handle: readChanges,
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/changes/snapshot',
    verb: 'changes:read',
    operationId: 'readSnapshot',
    tag: TAG,
    summary: 'Load a snapshot',
    description: 'All that a verifier must know before its first answer, as of one position.',
    answer: { status: 200, description: 'The snapshot.' },
    formats: [SNAPSHOT],
    quiet: true,
    handle: ({ project }) => {
      const body = Readable.from(project.snapshotLines(), { objectMode: false })
      const timer = setTimeout(() => body.destroy(), SNAPSHOT_TIMEOUT_MS)
      body.once('close', () => clearTimeout(timer))
      return new Streamed(SNAPSHOT.mediaType, body)
    },
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/changes/lease',
    verb: 'changes:read',
    operationId: 'grantLease',
    tag: TAG,
    summary: 'Ask for a lease',
    description:
      'Says how far the project is, and until when a verifier that has applied that may answer from its caches. The lease runs from the instant at which the nonce was sent.',
    body: LeaseInput,
    answer: { status: 200, description: 'The lease, or that a snapshot is needed first.', schema: LeaseView },
    quiet: true,
    once: false,
    handle: ({ project, body }) => project.edge.grantLease(body),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/changes/lease/release',
    verb: 'changes:read',
    operationId: 'releaseLease',
    tag: TAG,
    summary: 'Give a lease back',
    description: 'The verifier has stopped: receipts need not wait for it.',
    body: ReleaseLeaseInput,
    answer: { status: 204, description: 'It was given back, or had ended.' },
    quiet: true,
    once: false,
    handle: ({ project, body }) => project.edge.releaseLease(body),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/resolve',
    verb: 'credentials:resolve',
    operationId: 'resolveKeys',
    tag: TAG,
    summary: 'Look keys up by digest',
    description:
      'What a verifier keeps of keys, found by the SHA-256 of their texts, each as of its position.',
    body: ResolveInput,
    answer: { status: 200, description: 'An answer for each digest.', schema: ResolvedKeys },
    quiet: true,
    once: false,
    handle: ({ project, body }) => project.edge.resolveKeys(body),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/limits/lease',
    verb: 'limits:lease',
    operationId: 'leaseLimits',
    tag: TAG,
    summary: 'Set parts of limits aside',
    description:
      'Parts of the limits of keys and subjects, which the verifier spends without asking. They count as spent at once, so that all parts together never exceed a limit.',
    body: LeaseLimitsInput,
    answer: { status: 200, description: 'The parts.', schema: LeasedLimits },
    quiet: true,
    once: false,
    handle: ({ project, body }) => project.edge.leaseLimits(body),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/usage',
    verb: 'usage:report',
    operationId: 'reportUsage',
    tag: TAG,
    summary: 'Report usage',
    description: 'What a verifier has counted. A batch counts once, however often it is sent.',
    body: UsageReportInput,
    answer: { status: 200, description: 'It was counted, now or before.', schema: UsageReported },
    quiet: true,
    once: false,
    maxBodyBytes: MAX_USAGE_BYTES,
    handle: ({ project, body }) => project.edge.reportUsage(body),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/verifiers',
    verb: 'changes:read',
    operationId: 'listVerifiers',
    tag: TAG,
    summary: 'List the verifiers',
    description:
      'The verifiers in other processes that have asked this run of the server for a lease: how far each has come, and until when it may answer from its caches.',
    answer: { status: 200, description: 'The verifiers.', schema: EdgeVerifiers },
    handle: ({ project }) => project.edge.listVerifiers(),
  }),
]

function readChanges({ project, caller, query, accept, feed }: Call<'/v1/changes'>): unknown {
  if (acceptedFormat([EVENT_STREAM], accept) === undefined) return project.edge.readChanges(query)
  const after = readPlace(String(query.after))
  return new Streamed(EVENT_STREAM.mediaType, feed.open(project, { caller, after }))
}
