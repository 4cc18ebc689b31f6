/**
 * The program that is run in every runtime, with the portable build, and in Node with the sources: the same verdicts
 * must come of it. It stands on web standards, and imports types only.
 */
import type { createFetchProtection } from '../src/middleware/fetch.ts'
import type { KeyRecord, NO_COUNTERS, Snapshot, Verifier } from '../src/portable/index.ts'

/** What of a build is judged with. */
export interface Face {
  readonly Verifier: typeof Verifier
  readonly createFetchProtection: typeof createFetchProtection
  readonly NO_COUNTERS: typeof NO_COUNTERS
}

export interface Corpus {
  readonly nowMs: number
  readonly audience: string
  readonly snapshot: Snapshot
  /** Keys by their digests. */
  readonly keys: Readonly<Record<string, KeyRecord>>
  readonly cases: readonly Case[]
}

export interface Case {
  readonly name: string
  readonly credential: string
  readonly permissions?: string
  readonly ip?: string
}

/** The verdict on each case, at first sight and when it is seen again; and the status of a protected route. */
export async function judgeCorpus(
  face: Face,
  corpus: Corpus,
): Promise<Record<string, readonly [first: unknown, again: unknown, status: number]>> {
  const { snapshot, keys, nowMs, audience } = corpus
  const verifier = await face.Verifier.open({
    audience,
    source: {
      limits: face.NO_COUNTERS,
      open: async (sink) => sink.reset(snapshot),
      fetchKey: async (digest) => ({ position: snapshot.position, key: keys[digest] ?? null }),
      freshAtMs: () => nowMs,
      refresh: async () => true,
      nowMs: () => nowMs,
      close: () => {},
    },
  })
  const ask = ({ credential, permissions, ip }: Case): Promise<unknown> =>
    verifier.verify({
      credential,
      ...(permissions === undefined ? {} : { require: { permissions } }),
      ...(ip === undefined ? {} : { context: { ip } }),
    })
  const statusOf = async ({ credential, permissions, ip }: Case): Promise<number> => {
    const { protect } = face.createFetchProtection({ verifier, peer: () => ip })
    const route = protect(permissions === undefined ? {} : { permissions }, () => new Response('in'))
    const headers = { authorization: `Bearer ${encodeURI(credential)}` }
    return (await route(new Request('https://api.example.com/', { headers }))).status
  }
  // All at once: what is being checked of one must not get into another.
  const first = await Promise.all(corpus.cases.map(ask))
  const again = await Promise.all(corpus.cases.map(ask))
  const statuses = await Promise.all(corpus.cases.map(statusOf))
  return Object.fromEntries(
    corpus.cases.map(({ name }, index) => [name, [first[index], again[index], statuses[index] ?? 0]]),
  )
}
