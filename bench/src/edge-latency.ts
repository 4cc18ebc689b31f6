import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEdge } from './edge-process.ts'
import { startClaviger } from './server-process.ts'

const REVOCATIONS = 1_000
const OTHERS = 99
const NS_A_MS = 1e6

/** From the answer of a revocation to the first refusal in another process, with a hundred verifiers connected. */
export async function edgeLatency(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'))
  const server = await startClaviger(folder)
  const made = await server.call('POST', '/v1/management-keys', {
    name: 'edge',
    project: 'default',
    preset: 'edge',
  })
  const place = { url: server.url, key: JSON.parse(made).credential }
  const others = await startEdge({ ...place, count: OTHERS })
  const watched = await startEdge({ ...place, count: 1 })
  const latencies: number[] = []
  for (let index = 0; index < REVOCATIONS; index++) {
    const { id, credential } = JSON.parse(await server.call('POST', '/v1/keys', { name: 'watched' }))
    const { refusedAt } = await watched.watch(credential)
    await server.call('POST', `/v1/keys/${id}/revoke`, {})
    const answeredAt = process.hrtime.bigint()
    latencies.push(Math.max(0, Number((await refusedAt) - answeredAt) / NS_A_MS))
  }
  await Promise.all([others.close(), watched.close()])
  await server.close()
  rmSync(folder, { recursive: true })
  latencies.sort((a, b) => a - b)
  const at = (part: number): string => (latencies[Math.ceil(part * latencies.length) - 1] ?? 0).toFixed(1)
  return [
    '## Revocation to refusal, in another process',
    `${REVOCATIONS} revocations of keys, one after another, with ${OTHERS + 1} verifiers connected; one of them, in a ` +
      'process of its own, is asked about the key each millisecond. From the answer of the revocation to the first ' +
      'refusal; 0 where it came before the answer. Aims: p50 under 20 ms, p99 under 250 ms.',
    '| p50 | p90 | p99 | longest |\n| --- | --- | --- | --- |\n' +
      `| ${at(0.5)} ms | ${at(0.9)} ms | ${at(0.99)} ms | ${at(1)} ms |`,
  ].join('\n\n')
}
