import type { DistributionSnapshot, Engine, EngineStatistics, Readiness } from '@claviger/engine'
import type { VerifierStatistics } from '@claviger/verify'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { VERSION } from '../version.ts'
import { histogramText } from './histogram-text.ts'
import type { HttpDurations } from './http-durations.ts'

export const METRICS_MEDIA_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

type Value = readonly [value: number, labels?: Readonly<Record<string, string>>]

interface Reading {
  readonly statistics: EngineStatistics
  readonly readiness: Readiness
}

interface NodeMetric {
  readonly kind: 'counter' | 'gauge'
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  values(reading: Reading): readonly Value[]
}

/**
 * Everything that the node tells of itself, read when it is asked for: nothing but additions happens before. Labels are
 * words of this program alone (routes, statuses, verdict codes), so their number is fixed, and no credential, id,
 * subject or project can become one.
 */
export class NodeMetrics {
  readonly #engine: Engine
  readonly #durations: HttpDurations
  readonly #registry = new Registry()
  #reading: Reading | undefined

  constructor(engine: Engine, durations: HttpDurations) {
    this.#engine = engine
    this.#durations = durations
    collectDefaultMetrics({ register: this.#registry })
    for (const metric of NODE_METRICS) this.#add(metric)
  }

  /** In Prometheus's text format (version 0.0.4). */
  async read(): Promise<string> {
    const statistics = await this.#engine.statistics()
    this.#reading = { statistics, readiness: await this.#engine.readiness() }
    return [await this.#registry.metrics(), ...writerHistograms(statistics), this.#httpHistogram()].join('\n')
  }

  #add(metric: NodeMetric): void {
    const options = {
      name: metric.name,
      help: metric.help,
      labelNames: [...(metric.labels ?? [])],
      registers: [this.#registry],
    }
    const read = (): readonly Value[] => (this.#reading === undefined ? [] : metric.values(this.#reading))
    if (metric.kind === 'gauge') {
      new Gauge({
        ...options,
        collect() {
          this.reset()
          for (const [value, labels = {}] of read()) this.set(labels, value)
        },
      })
    } else {
      new Counter({
        ...options,
        collect() {
          this.reset()
          for (const [value, labels = {}] of read()) this.inc(labels, value)
        },
      })
    }
  }

  #httpHistogram(): string {
    const series = this.#durations.list().map(({ route, method, status, seconds }) => ({
      labels: { route: route ?? 'none', method: method ?? 'any', status: String(status) },
      values: seconds.read(),
    }))
    return histogramText(
      'claviger_http_request_duration_seconds',
      'From the arrival of a request to the end of its answer.',
      series,
    )
  }
}

function writerHistograms({ writer }: EngineStatistics): readonly string[] {
  return [
    histogramText(
      'claviger_commit_duration_seconds',
      'From the begin of a transaction to its commit on the disk.',
      [{ labels: {}, values: toSeconds(writer.batchDuration) }],
    ),
    histogramText('claviger_commit_commands', 'Commands that shared a transaction.', [
      { labels: {}, values: writer.batchSize },
    ]),
  ]
}

function toSeconds({ bounds, cumulative, sum }: DistributionSnapshot): DistributionSnapshot {
  return { bounds: bounds.map((bound) => bound / 1000), cumulative, sum: sum / 1000 }
}

const NODE_METRICS: readonly NodeMetric[] = [
  {
    kind: 'gauge',
    name: 'claviger_build_info',
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'node'],
    values: () => [[1, { version: VERSION, node: process.version }]],
  },
  {
    kind: 'counter',
    name: 'claviger_verifications_total',
    help: "Verdicts on customers' credentials. Kind none: the credential was not recognised.",
    labels: ['kind', 'outcome'],
    values: ({ statistics }) => verdictsOf(statistics.verifiers),
  },
  {
    kind: 'counter',
    name: 'claviger_management_authentications_total',
    help: 'Verdicts on the management keys that callers presented.',
    labels: ['outcome'],
    values: ({ statistics }) =>
      verdictsOf([statistics.management]).map(([count, labels]) => [count, { outcome: labels.outcome }]),
  },
  {
    kind: 'gauge',
    name: 'claviger_cached_credentials',
    help: 'Credentials that verifiers hold. Kind absent: texts that are known to be no key.',
    labels: ['kind'],
    values: ({ statistics: { verifiers } }) => [
      [sum(verifiers, (one) => one.cachedKeys), { kind: 'key' }],
      [sum(verifiers, (one) => one.cachedTokens), { kind: 'token' }],
      [sum(verifiers, (one) => one.cachedAbsences), { kind: 'absent' }],
    ],
  },
  {
    kind: 'counter',
    name: 'claviger_cache_misses_total',
    help: 'Keys looked up in the database, and tokens checked by their signature. All other verdicts came from a cache.',
    labels: ['kind'],
    values: ({ statistics: { verifiers } }) => [
      [sum(verifiers, (one) => one.keyFills), { kind: 'key' }],
      [sum(verifiers, (one) => one.tokenChecks), { kind: 'token' }],
    ],
  },
  {
    kind: 'gauge',
    name: 'claviger_revocation_rules',
    help: 'Revocation rules that verifiers hold, those of the management keys among them.',
    values: ({ statistics: { verifiers, management } }) => [
      [sum([...verifiers, management], (one) => one.revocationRules)],
    ],
  },
  {
    kind: 'gauge',
    name: 'claviger_edge_verifiers',
    help: 'Verifiers in other processes that were heard of in the last hours. Lease held: they may answer from their caches.',
    labels: ['lease'],
    values: ({ statistics: { edgeVerifiers } }) => [
      [edgeVerifiers.leased, { lease: 'held' }],
      [edgeVerifiers.lapsed, { lease: 'lapsed' }],
    ],
  },
  {
    kind: 'counter',
    name: 'claviger_commands_total',
    help: 'Changes that were asked for.',
    labels: ['outcome'],
    values: ({ statistics: { writer } }) => [
      [writer.commandsStored, { outcome: 'stored' }],
      [writer.commandsRefused, { outcome: 'refused' }],
    ],
  },
  {
    kind: 'counter',
    name: 'claviger_feed_changes_total',
    help: "Entries that this process has added to the projects' feeds.",
    values: ({ statistics }) => [[statistics.writer.changes]],
  },
  {
    kind: 'gauge',
    name: 'claviger_writer_queue_commands',
    help: 'Commands that wait for the writer thread.',
    values: ({ statistics }) => [[statistics.writer.queued]],
  },
  {
    kind: 'gauge',
    name: 'claviger_writer_oldest_wait_seconds',
    help: 'How long the first of them has waited.',
    values: ({ statistics }) => [[statistics.writer.oldestWaitMs / 1000]],
  },
  {
    kind: 'gauge',
    name: 'claviger_unwritten_usage_keys',
    help: 'Keys whose use is counted and not written yet.',
    values: ({ statistics }) => [[statistics.unwrittenUsage]],
  },
  {
    kind: 'gauge',
    name: 'claviger_projects',
    help: 'Projects of the installation.',
    values: ({ statistics }) => [[statistics.projects]],
  },
  {
    kind: 'gauge',
    name: 'claviger_database_bytes',
    help: 'Size of the database on the disk. File wal: the log that is folded into it.',
    labels: ['file'],
    values: ({ statistics }) => [
      [statistics.databaseBytes, { file: 'database' }],
      [statistics.walBytes, { file: 'wal' }],
    ],
  },
  {
    kind: 'gauge',
    name: 'claviger_ready',
    help: '1 while the node answers /readyz with 200.',
    values: ({ readiness }) => [[readiness.status === 'unavailable' ? 0 : 1]],
  },
  {
    kind: 'gauge',
    name: 'claviger_problem',
    help: 'What /readyz complains of: 1 while it does.',
    labels: ['problem'],
    values: ({ readiness }) =>
      PROBLEMS.map((problem) => [readiness.problems.includes(problem) ? 1 : 0, { problem }]),
  },
]

const PROBLEMS = ['writer_stopped', 'database_unreadable', 'storage_full', 'writer_behind'] as const

function verdictsOf(
  verifiers: readonly VerifierStatistics[],
): readonly (readonly [number, { kind: string; outcome: string }])[] {
  return verifiers.flatMap(({ verdicts }) =>
    verdicts.map(({ kind, outcome, count }) => [count, { kind, outcome }] as const),
  )
}

function sum(
  verifiers: readonly VerifierStatistics[],
  read: (verifier: VerifierStatistics) => number,
): number {
  return verifiers.reduce((total, verifier) => total + read(verifier), 0)
}
