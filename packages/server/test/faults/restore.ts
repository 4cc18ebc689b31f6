/** Restores the backup that is its second argument into the data folder that is its first: what a test kills. */
import { join } from 'node:path'
import { restoreBackup, systemClock, systemRandom } from '@claviger/engine'

const [folder = '', backup = ''] = process.argv.slice(2)
const report = await restoreBackup({
  database: `sqlite:${join(folder, 'claviger.db')}`,
  backup,
  clock: systemClock(),
  random: systemRandom(),
})
console.log(JSON.stringify({ ...report, rootKey: null }))
