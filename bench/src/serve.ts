/** The child process of `mint-server.ts`: serves the data folder it is given, and says what that cost. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createServer } from '@claviger/server'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new TypeError('The data folder is missing.')
mkdirSync(folder, { recursive: true })
const server = await createServer({
  data: folder,
  database: `sqlite:${join(folder, 'claviger.db')}`,
  port: 0,
})
process.send?.(await server.listen())
process.on('message', async (message) => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage()
    process.send?.((user + system) / 1e6)
  } else {
    await server.close()
    process.disconnect()
  }
})
