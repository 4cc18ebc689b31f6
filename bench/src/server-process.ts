import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A server in a process of its own, so that its processor time is its alone. */
interface ServerProcess {
  readonly url: string
  /** What the process has used since it began. */
  processorSeconds(): Promise<number>
  close(): Promise<void>
}

export interface ClavigerProcess extends ServerProcess {
  /** The root key. */
  readonly key: string
  /** Calls the management API. Throws unless the answer is a success; resolves with its body. */
  call(method: string, path: string, body: object): Promise<string>
}

/** A Claviger server on a data folder of its own, with its log going to a file, as in production. */
export async function startClaviger(folder: string): Promise<ClavigerProcess> {
  mkdirSync(folder, { recursive: true })
  const log = openSync(join(folder, 'log'), 'w')
  const server = await start(import.meta.resolve('./serve.ts'), { args: [folder], stdout: log })
  const key = readFileSync(join(folder, 'root-key'), 'utf8').trim()
  const agent = new Agent({ keepAlive: true })
  return {
    ...server,
    key,
    call: (method, path, body) =>
      new Promise((resolve, reject) => {
        const text = JSON.stringify(body)
        const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
        const sent = request(new URL(path, server.url), { method, agent, headers }, (response) => {
          let answer = ''
          response.setEncoding('utf8').on('data', (part) => (answer += part))
          response.on('end', () => {
            if ((response.statusCode ?? 500) < 300) resolve(answer)
            else reject(new Error(`${response.statusCode} ${answer}`))
          })
        })
        sent.on('error', reject).end(text)
      }),
    async close() {
      agent.destroy()
      await server.close()
    },
  }
}

/** `node:http` and nothing else: it reads each request to its end, and answers these bytes. */
export function startBare(answer: { headers: Record<string, string>; body: string }): Promise<ServerProcess> {
  return start(import.meta.resolve('./serve-bare.ts'), { args: [JSON.stringify(answer)], stdout: 'ignore' })
}

async function start(
  module: string,
  { args, stdout }: { args: string[]; stdout: number | 'ignore' },
): Promise<ServerProcess> {
  const child = fork(fileURLToPath(module), args, {
    stdio: ['ignore', stdout, 'inherit', 'ipc'],
  })
  const [url] = await once(child, 'message')
  return {
    url: String(url),
    processorSeconds: () => ask(child),
    async close() {
      child.send('close')
      await once(child, 'exit')
    },
  }
}

async function ask(child: ChildProcess): Promise<number> {
  child.send('usage')
  const [seconds] = await once(child, 'message')
  return Number(seconds)
}
