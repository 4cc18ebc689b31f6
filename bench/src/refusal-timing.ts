import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine, type Project } from '@claviger/engine'
import { formatKeyString, KEY_LOCATOR_LENGTH, KEY_SECRET_LENGTH, type Verifier } from '@claviger/verify'
import { requestFor } from './project.ts'

const KEYS = 500
const TURNS = 40
const WARM_UP_TURNS = 10
/** Beyond it two samples differ in their means (FACTS section 5). */
const MOST_T = 4.5
/** Of each sample the slowest are other programs' doing; the rest is compared. */
const KEPT = 0.95
const KINDS = ['unknown', 'revoked', 'foreign'] as const
const PAIRS = [
  ['unknown', 'revoked'],
  ['unknown', 'foreign'],
  ['revoked', 'foreign'],
] as const

type Kind = (typeof KINDS)[number]
type Samples = Record<Kind, number[]>

/** Whether the time of a refusal tells an unknown key from a revoked one and from another project's, as Markdown. */
export async function refusalTiming(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'))
  const engine = await createEngine({ database: `sqlite:${join(folder, 'claviger.db')}` })
  await engine.projects().create({ name: 'other' })
  const revoked = await createKeys(engine.project('default'))
  for (const { id } of revoked) await engine.project('default').keys.revoke(id, {})
  const keys: Record<Kind, readonly string[]> = {
    unknown: Array.from({ length: KEYS }, (_, index) => unknownKey(index)),
    revoked: revoked.map(({ credential }) => credential),
    foreign: (await createKeys(engine.project('other'))).map(({ credential }) => credential),
  }
  const samples: Samples = { unknown: [], revoked: [], foreign: [] }
  for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn++) {
    // Nothing is cached: each is looked up.
    const verifier = await engine.openVerifier('default')
    await measureTurn(verifier, keys, turn < WARM_UP_TURNS ? undefined : samples)
    verifier.close()
  }
  await engine.close()
  rmSync(folder, { recursive: true })
  return describe(samples)
}

async function createKeys(project: Project): Promise<readonly { id: string; credential: string }[]> {
  return Promise.all(
    Array.from({ length: KEYS }, () =>
      project.keys.create({ name: 'a key', permissions: ['documents:read'] }),
    ),
  )
}

function unknownKey(index: number): string {
  const locator = String(index).padStart(KEY_LOCATOR_LENGTH, '0')
  return formatKeyString('ck', locator, locator.padEnd(KEY_SECRET_LENGTH, 'x'))
}

/** One of each kind after another, in an order that is drawn each time. */
async function measureTurn(
  verifier: Verifier,
  keys: Record<Kind, readonly string[]>,
  samples: Samples | undefined,
): Promise<void> {
  for (let index = 0; index < KEYS; index++) {
    for (const kind of KINDS.toSorted(() => Math.random() - 0.5)) {
      const request = requestFor(Buffer.from(keys[kind][index] ?? '').toString())
      const begunAtMs = performance.now()
      const verdict = await verifier.verify(request)
      const tookMs = performance.now() - begunAtMs
      if (verdict.ok) throw new Error(`A key that is ${kind} passed.`)
      samples?.[kind].push(tookMs * 1000)
    }
  }
}

function describe(samples: Samples): string {
  const kept = Object.fromEntries(KINDS.map((kind) => [kind, keepFastest(samples[kind])])) as Samples
  const lines = PAIRS.map(([one, other]) => {
    const t = welchT(kept[one], kept[other])
    return `- ${one} and ${other}, below ${MOST_T}: **${Math.abs(t) < MOST_T ? 'met' : 'MISSED'}**, t ${t.toFixed(2)}`
  })
  return [
    '## Refusals of keys, in process: what their time tells',
    `${(KEYS * TURNS).toLocaleString('en')} refusals each of keys that are unknown, revoked, or another project’s, in turns, none of them ` +
      `cached. Welch’s t of each pair, without the slowest ${Math.round((1 - KEPT) * 100)} % of each sample.`,
    [
      '| key | mean, microseconds |',
      '| --- | ---: |',
      ...KINDS.map((kind) => `| ${kind} | ${mean(kept[kind]).toFixed(2)} |`),
    ].join('\n'),
    lines.join('\n'),
  ].join('\n\n')
}

function keepFastest(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b).slice(0, Math.floor(values.length * KEPT))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function variance(values: readonly number[]): number {
  const middle = mean(values)
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1)
}

function welchT(one: readonly number[], other: readonly number[]): number {
  return (mean(one) - mean(other)) / Math.sqrt(variance(one) / one.length + variance(other) / other.length)
}
