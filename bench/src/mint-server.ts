import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface MintServer {
  /** Puts roles into its project, over HTTP. */
  prepare(
    putRoles: (roles: { put(name: string, role: object): Promise<unknown> }) => Promise<void>,
  ): Promise<void>
  mint(input: object): Promise<string>
  /** What the server's process has used since it began. */
  processorSeconds(): Promise<number>
  close(): Promise<void>
}

/** A Claviger server in a process of its own, with its log going to a file, as in production. */
export async function startMintServer(folder: string): Promise<MintServer> {
  mkdirSync(folder, { recursive: true })
  const log = openSync(join(folder, 'log'), 'w')
  const child = fork(fileURLToPath(import.meta.resolve('./serve.ts')), [folder], {
    stdio: ['ignore', log, 'inherit', 'ipc'],
  })
  const [url] = await once(child, 'message')
  const key = readFileSync(join(folder, 'root-key'), 'utf8').trim()
  const agent = new Agent({ keepAlive: true })
  const call = (method: string, path: string, body: object): Promise<string> =>
    new Promise((resolve, reject) => {
      const text = JSON.stringify(body)
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const sent = request(new URL(path, url), { method, agent, headers }, (response) => {
        let answer = ''
        response.setEncoding('utf8').on('data', (part) => (answer += part))
        response.on('end', () => {
          if ((response.statusCode ?? 500) < 300) resolve(answer)
          else reject(new Error(`${response.statusCode} ${answer}`))
        })
      })
      sent.on('error', reject).end(text)
    })
  return {
    prepare: (putRoles) => putRoles({ put: (name, role) => call('PUT', `/v1/roles/${name}`, role) }),
    mint: async (input) => JSON.parse(await call('POST', '/v1/tokens', input)).credential,
    async processorSeconds() {
      child.send('usage')
      const [seconds] = await once(child, 'message')
      return Number(seconds)
    },
    async close() {
      agent.destroy()
      child.send('close')
      await once(child, 'exit')
    },
  }
}
