/** Takes a backup of the data folder that is its first argument, into the file that is its second: beside a server. */
import { join } from 'node:path'
import { createBackup, systemClock } from '@claviger/engine'

const [folder = '', file = ''] = process.argv.slice(2)
const manifest = await createBackup({
  database: `sqlite:${join(folder, 'claviger.db')}`,
  file,
  clock: systemClock(),
})
console.log(JSON.stringify(manifest))
