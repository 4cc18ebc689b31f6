/** A child process that keeps a number of creations in flight, on a connection each, until it is told to stop. */
import { constants, setPriority } from 'node:os'
import { RawConnection, rawRequest } from './raw-connection.ts'

export interface CreateLoadOrder {
  readonly url: string
  readonly key: string
  readonly inFlight: number
}

/** Creations that were answered, and in how long. */
export interface CreateLoadReport {
  readonly created: number
  readonly seconds: number
}

const BODY = { name: 'created meanwhile', permissions: ['documents:read'], metadata: { plan: 'team' } }

async function run({ url, key, inFlight }: CreateLoadOrder): Promise<CreateLoadReport> {
  const request = rawRequest('/v1/keys', { key, body: BODY })
  const connections: RawConnection[] = []
  for (let opened = 0; opened < inFlight; opened++) connections.push(await RawConnection.open(url))
  let created = 0
  let stopping = false
  const begunAtMs = performance.now()
  async function create(connection: RawConnection): Promise<void> {
    while (!stopping) {
      const status = await connection.send(request)
      if (status !== 201) throw new Error(`A creation was answered with ${status}.`)
      created++
    }
  }
  const creating = connections.map(create)
  process.send?.('running')
  process.once('message', () => {
    stopping = true
  })
  await Promise.all(creating)
  for (const connection of connections) connection.close()
  return { created, seconds: (performance.now() - begunAtMs) / 1000 }
}

// Those who create are on other machines: what they cost here is to be taken from nobody.
setPriority(constants.priority.PRIORITY_LOW)
process.once('message', async (order: CreateLoadOrder) => {
  process.send?.(await run(order))
  process.disconnect()
})
