/**
 * What the examples of the frameworks share. Where CLAVIGER_URL and CLAVIGER_KEY are set, a verifier over that server;
 * else an engine in the same program, with its data in the folder of the first argument, and a way to issue and revoke
 * keys to try them with, one command a line on standard input.
 */
import { createInterface } from 'node:readline'
import { createEngine } from '@claviger/engine'
import { createVerifier } from '@claviger/verify'
import type { RequestVerifier } from '@claviger/verify/node'

const AUDIENCE = 'http://localhost:3000'

export interface Service {
  readonly verifier: RequestVerifier
  /** Says where it listens, then obeys `key <permission> [limit]` and `revoke <id>` until the input ends. */
  run(port: number): Promise<void>
}

export function openService(): Promise<Service> {
  const { CLAVIGER_URL: url, CLAVIGER_KEY: key } = process.env
  return url === undefined || key === undefined ? openEmbedded() : openAtEdge(url, key)
}

/** Beside a Claviger server: keys are issued and revoked there, with its own commands. */
async function openAtEdge(url: string, key: string): Promise<Service> {
  const verifier = await createVerifier({
    url,
    key,
    audience: AUDIENCE,
    name: 'example',
    onEvent: (event) => console.error(JSON.stringify(event)),
  })
  return {
    verifier,
    async run(port) {
      console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }))
      for await (const _ of createInterface({ input: process.stdin })) console.error('Ask the server.')
      await verifier.close()
      process.exit()
    },
  }
}

async function openEmbedded(): Promise<Service> {
  const folder = process.argv[2] ?? 'claviger-data/example'
  const engine = await createEngine({ database: `sqlite:${folder}/claviger.db` })
  const project = engine.project('default')
  const verifier = await project.verifier({ audience: AUDIENCE })

  const obey = async (line: string): Promise<void> => {
    const [command, word = '', limit] = line.split(' ')
    if (command === 'key') {
      const limits =
        limit === undefined ? [] : [{ name: 'a-minute', limit: Number(limit), windowSeconds: 60 }]
      const key = await project.keys.create({ name: 'example', permissions: [word], limits })
      console.log(JSON.stringify({ id: key.id, credential: key.credential }))
    } else if (command === 'revoke') {
      await project.keys.revoke(word)
      console.log(JSON.stringify({ id: word }))
    }
  }

  return {
    verifier,
    async run(port) {
      console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }))
      for await (const line of createInterface({ input: process.stdin })) await obey(line)
      await engine.close()
      process.exit()
    },
  }
}
