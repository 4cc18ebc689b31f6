/**
 * What the examples of the frameworks share: an engine in the same program, with its data in the folder of the first
 * argument, and a way to issue and revoke keys to try them with, one command a line on standard input.
 */
import { createInterface } from 'node:readline'
import { createEngine } from '@claviger/engine'
import type { RequestVerifier } from '@claviger/verify/node'

export interface Service {
  readonly verifier: RequestVerifier
  /** Says where it listens, then obeys `key <permission> [limit]` and `revoke <id>` until the input ends. */
  run(port: number): Promise<void>
}

export async function openService(): Promise<Service> {
  const folder = process.argv[2] ?? 'claviger-data/example'
  const engine = await createEngine({ database: `sqlite:${folder}/claviger.db` })
  const project = engine.project('default')
  const verifier = await project.verifier({ audience: 'http://localhost:3000' })

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
