/**
 * A child process that verifies at a fixed rate, whether or not earlier answers have come, and measures each answer from
 * the instant at which its request was due: a server that stalls delays all that arrive meanwhile, and each one counts.
 */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { RawConnection, rawRequest } from './raw-connection.ts'

export interface OpenLoopOrder {
  readonly url: string
  readonly key: string
  readonly credentials: readonly string[]
  readonly perSecond: number
  readonly seconds: number
}

/** Milliseconds from when each request was due to its answer, and to when it was sent. */
export interface OpenLoopReport {
  readonly latenciesMs: readonly number[]
  readonly latenessMs: readonly number[]
}

/** More than are ever busy unless the server stalls; then those that arrive wait for one, and that counts. */
const CONNECTIONS = 64
const LEAD_MS = 100

const nowMs = (): number => performance.timeOrigin + performance.now()

async function run(order: OpenLoopOrder): Promise<OpenLoopReport> {
  const { url, key, credentials, perSecond, seconds } = order
  const requests = credentials.map((credential) => {
    const require = { permissions: 'documents:read and (billing:* or admin:all)' }
    return rawRequest('/v1/verify', { key, body: { credential, require, context: { ip: '203.0.113.7' } } })
  })
  const free = await Promise.all(Array.from({ length: CONNECTIONS }, () => RawConnection.open(url)))
  const all = [...free]
  const [latenciesMs, latenessMs, due]: [number[], number[], number[]] = [[], [], []]
  const count = perSecond * seconds
  const intervalMs = 1000 / perSecond
  const startMs = nowMs() + LEAD_MS
  const finished = Promise.withResolvers<void>()

  async function send(connection: RawConnection, index: number): Promise<void> {
    const dueMs = startMs + index * intervalMs
    latenessMs.push(nowMs() - dueMs)
    const status = await connection.send(requests[index % requests.length] ?? '')
    latenciesMs.push(nowMs() - dueMs)
    if (status !== 200) throw new Error(`A verification was answered with ${status}.`)
    const next = due.shift()
    if (next === undefined) free.push(connection)
    else void send(connection, next).catch(finished.reject)
    if (latenciesMs.length === count) finished.resolve()
  }

  const pacer = new Worker(fileURLToPath(import.meta.resolve('./pacer.ts')), {
    workerData: { startMs, intervalMs, count },
  })
  pacer.on('message', (index: number) => {
    const connection = free.pop()
    if (connection === undefined) due.push(index)
    else void send(connection, index).catch(finished.reject)
  })
  await finished.promise
  for (const connection of all) connection.close()
  return { latenciesMs, latenessMs }
}

process.on('message', async (order: OpenLoopOrder) => process.send?.(await run(order)))
