/** A Claviger server, as `claviger start` starts it, on the data folder that it is given. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { collectRequestsYoung, createServer } from '@claviger/server'
import { answerParent } from './answer-parent.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new TypeError('The data folder is missing.')
mkdirSync(folder, { recursive: true })
collectRequestsYoung()
const server = await createServer({
  data: folder,
  database: `sqlite:${join(folder, 'claviger.db')}`,
  port: 0,
})
answerParent(await server.listen(), () => server.close())
