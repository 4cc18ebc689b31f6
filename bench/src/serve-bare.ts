/** The limit of what HTTP can cost: `node:http` reading whole requests, and answering bytes that lie ready. */
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerParent } from './answer-parent.ts'

const [json] = process.argv.slice(2)
if (json === undefined) throw new TypeError('The answer is missing.')
const answer: { headers: Record<string, string>; body: string } = JSON.parse(json)
const body = Buffer.from(answer.body)
const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part) => parts.push(part))
  request.on('end', () => {
    Buffer.concat(parts)
    response.writeHead(200, answer.headers)
    response.end(body)
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo
answerParent(`http://127.0.0.1:${port}`, async () => {
  server.close()
  server.closeAllConnections()
})
