import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Answer, encodeRequest, sendAll } from './http-load.ts'
import type { Contender } from './interleave.ts'
import { requestFor } from './project.ts'
import type { Row } from './row.ts'
import { type ClavigerProcess, startBare, startClaviger } from './server-process.ts'

const KEY_COUNT = 1_000
const PASS_SIZE = 4_000
/** As many as a gateway keeps open. */
const CONNECTIONS = 32
const LIMIT = 'node:http alone'
const OURS = 'Claviger, POST /v1/verify'
/** What nobody but the connection decides. */
const OWN_HEADERS = new Set(['date', 'connection', 'keep-alive'])

/** The whole way over HTTP: the management key, the body, the decision and the answer. */
export async function verifyHttp(): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'))
  const claviger = await startClaviger(folder)
  const requests = await makeRequests(claviger)
  const bare = await startBare(await sampleAnswer(claviger, requests))
  const contenders = [
    { name: LIMIT, server: bare },
    { name: OURS, server: claviger },
  ].map(({ name, server }): Contender => {
    const pass = () => sendAll(server.url, requests, { connections: CONNECTIONS, accepts: isAccepted })
    return { name, prepare: () => pass, processorSeconds: () => server.processorSeconds() }
  })
  return {
    title: 'Key, verified over HTTP',
    measures:
      `${PASS_SIZE} requests a round over ${CONNECTIONS} connections that stay open, by the processor time of the server’s ` +
      `process: ${KEY_COUNT} keys, with a permission query, on behalf of a management key. The limit: \`node:http\`, which reads ` +
      'the same requests and answers the same bytes.',
    rounds: { contenders, warmUp: 10, counted: 40, passSize: PASS_SIZE },
    reference: LIMIT,
    aims: [{ contender: OURS, against: LIMIT, atLeast: 1 / 1.4 }],
    async close() {
      await Promise.all([claviger.close(), bare.close()])
      rmSync(folder, { recursive: true })
    },
  }
}

async function makeRequests(claviger: ClavigerProcess): Promise<Buffer[]> {
  const permissions = ['documents:read', 'billing:*']
  const made = await Promise.all(
    Array.from({ length: KEY_COUNT }, (_, index) =>
      claviger.call('POST', '/v1/keys', { name: `key ${index}`, subject: `user_${index}`, permissions }),
    ),
  )
  const bodies = made.map((answer) => requestFor(JSON.parse(answer).credential))
  return Array.from({ length: PASS_SIZE }, (_, index) =>
    encodeRequest('/v1/verify', { key: claviger.key, body: bodies[index % KEY_COUNT] ?? {} }),
  )
}

async function sampleAnswer(
  { url }: ClavigerProcess,
  requests: readonly Buffer[],
): Promise<{ headers: Record<string, string>; body: string }> {
  const answers: Answer[] = []
  await sendAll(url, requests.slice(0, 1), {
    connections: 1,
    accepts: (answer) => answers.push(answer) > 0,
  })
  const [sample] = answers
  if (sample === undefined) throw new Error('The server did not answer.')
  const lines = sample.head.split('\r\n').slice(1)
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(': ')
    return [line.slice(0, colon), line.slice(colon + 2)]
  })
  return {
    headers: Object.fromEntries(headers.filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()))),
    body: sample.body,
  }
}

function isAccepted({ head, body }: Answer): boolean {
  return head.startsWith('HTTP/1.1 200') && body.startsWith('{"ok":true')
}
