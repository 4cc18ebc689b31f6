import { type ChildProcess, type ForkOptions, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { CreateLoadOrder, CreateLoadReport } from './create-load.ts'
import type { OpenLoopOrder, OpenLoopReport } from './open-loop.ts'
import { quantile, spread } from './report.ts'
import { startClaviger } from './server-process.ts'

const IN_FLIGHT = 1_000
const PER_SECOND = 300
const SECONDS = 4
const PAIRS = 11
const WARM_UP_PAIRS = 1
const KEYS = 500
/** Until the thousand that begin together have spread out. */
const SETTLE_MS = 1_500
const MOST_TIMES = 1.5

/**
 * Those who verify are on other machines too: that they are run late here is to be taken from nobody's answer. Where it
 * is allowed, they are run before whatever else wants the core.
 */
const AHEAD_OF_ALL = scheduled('--fifo', '1')
/** And those who create, with all their threads, only on a core that nobody else wants: what they cost here is to be taken from nobody. */
const BEHIND_ALL = scheduled('--idle', '0')

function scheduled(policy: string, priority: string): ForkOptions {
  if (spawnSync('chrt', [policy, priority, 'true']).status !== 0) return {}
  return { execPath: 'chrt', execArgv: [policy, priority, process.execPath] }
}

interface ServerPlace {
  readonly url: string
  readonly key: string
}

/** Verification at a fixed rate, with and without a thousand creations in flight, in turns. */
export async function verifyBesideCreates(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'))
  const server = await startClaviger(join(folder, 'server'))
  const place = { url: server.url, key: server.key }
  const loop = fork(fileURLToPath(import.meta.resolve('./open-loop.ts')), AHEAD_OF_ALL)
  try {
    const credentials = await createKeys(place)
    const order = { ...place, credentials, perSecond: PER_SECOND, seconds: SECONDS }
    const [alone, beside]: [OpenLoopReport[], OpenLoopReport[]] = [[], []]
    let [created, seconds] = [0, 0]
    for (let pair = 0; pair < WARM_UP_PAIRS + PAIRS; pair++) {
      const without = await measure(loop, order)
      const creating = await startCreating(place)
      await sleep(SETTLE_MS)
      const during = await measure(loop, order)
      const load = await stopCreating(creating)
      if (pair < WARM_UP_PAIRS) continue
      alone.push(without)
      beside.push(during)
      created += load.created
      seconds += load.seconds
    }
    return describe(alone, beside, created / seconds)
  } finally {
    loop.disconnect()
    await server.close()
    rmSync(folder, { recursive: true })
  }
}

async function createKeys({ url, key }: ServerPlace): Promise<string[]> {
  const body = JSON.stringify({ name: 'verified', permissions: ['documents:read', 'billing:*'] })
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const creations = Array.from({ length: KEYS }, async () => {
    const answer = await fetch(`${url}/v1/keys`, { method: 'POST', headers, body })
    return ((await answer.json()) as { credential: string }).credential
  })
  return Promise.all(creations)
}

async function measure(loop: ChildProcess, order: OpenLoopOrder): Promise<OpenLoopReport> {
  loop.send(order)
  const [report] = await once(loop, 'message')
  return report
}

async function startCreating(place: ServerPlace): Promise<ChildProcess> {
  const creating = fork(fileURLToPath(import.meta.resolve('./create-load.ts')), BEHIND_ALL)
  creating.send({ ...place, inFlight: IN_FLIGHT } satisfies CreateLoadOrder)
  await once(creating, 'message')
  return creating
}

async function stopCreating(creating: ChildProcess): Promise<CreateLoadReport> {
  creating.send('stop')
  const [report] = await once(creating, 'message')
  return report
}

function describe(
  alone: readonly OpenLoopReport[],
  beside: readonly OpenLoopReport[],
  createdPerSecond: number,
): string {
  const parts = [0.5, 0.99, 0.999]
  const all = (windows: readonly OpenLoopReport[], of: keyof OpenLoopReport): number[] =>
    windows.flatMap((one) => one[of])
  const row = (name: string, values: readonly number[]): string =>
    `| ${name} | ${parts.map((part) => quantile(values, part).toFixed(2)).join(' | ')} |`
  const ratios = (part: number): number[] =>
    beside.map(({ latenciesMs }, pair) => {
      return quantile(latenciesMs, part) / quantile(alone[pair]?.latenciesMs ?? [], part)
    })
  const p99 = ratios(0.99)
  return [
    `## Verification over HTTP, with ${IN_FLIGHT.toLocaleString('en')} creations in flight`,
    `${PER_SECOND} verifications a second of ${KEYS} keys, open loop: each is due at a fixed instant and measured from it. ` +
      `Meanwhile, and for a second and a half before, another process keeps ${IN_FLIGHT} creations in flight, the next as soon as one is answered: ` +
      `${Math.round(createdPerSecond).toLocaleString('en')} a second were answered. The server, the verifying client and the creating ` +
      'client are processes of their own, and share the cores: the verifying client is run first where that is allowed, the creating one last.',
    [
      '| milliseconds from when it was due | p50 | p99 | p99.9 |',
      '| --- | ---: | ---: | ---: |',
      row('without creations', all(alone, 'latenciesMs')),
      row('with them', all(beside, 'latenciesMs')),
      row('of these the client’s own lateness, without', all(alone, 'latenessMs')),
      row('of these the client’s own lateness, with', all(beside, 'latenessMs')),
    ].join('\n'),
    `${PAIRS} pairs of ${SECONDS} seconds. Ratios: median (quartiles; least to most). p50 ${spread(ratios(0.5))}.`,
    `- p99, at most ${MOST_TIMES} times what it is without: **${quantile(p99, 0.5) <= MOST_TIMES ? 'met' : 'MISSED'}**, ${spread(p99)}`,
  ].join('\n\n')
}
