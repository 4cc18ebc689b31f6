import { existsSync, readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Check, fault, ok, warning } from './check.ts'

const OTHERS = 0o077
/** Files that hold digests and sealed keys at most; whoever reads the others has the keys themselves. */
const SECRETS = new Set(['master-key', 'root-key'])

/** Who can read the data folder, the journal in it, and what is in both. */
export function checkFiles(folder: string): readonly Check[] {
  // Windows has no such bits: there the folder's access list counts.
  if (process.platform === 'win32') return []
  const journal = join(folder, 'journal')
  const checks = [...checkFolder(folder), ...(existsSync(journal) ? checkFolder(journal) : [])]
  if (checks.length === 0) checks.push(ok('file-permissions', `${folder} is open to its owner alone.`))
  if (existsSync(join(folder, 'root-key'))) {
    checks.push(
      warning(
        'root-key-file',
        `${join(folder, 'root-key')} lies beside the data. Put the root key into a safe, work with management keys that are bound to a project, and delete the file.`,
      ),
    )
  }
  return checks
}

function checkFolder(folder: string): Check[] {
  const checks: Check[] = []
  const stats = statSync(folder)
  if ((stats.mode & OTHERS) !== 0) {
    checks.push(
      fault('folder-permissions', `${folder} is open to others (${octal(stats)}). Run: chmod 700 ${folder}`),
    )
  }
  for (const name of readdirSync(folder)) {
    const file = join(folder, name)
    const own = statSync(file, { throwIfNoEntry: false })
    if (own === undefined || !own.isFile()) continue
    if ((own.mode & OTHERS) !== 0) {
      const what = SECRETS.has(name) ? 'It may have been read: replace the key after this. ' : ''
      checks.push(
        fault('file-permissions', `${file} is open to others (${octal(own)}). ${what}Run: chmod 600 ${file}`),
      )
    }
    if (own.uid !== stats.uid) {
      checks.push(
        fault(
          'file-owner',
          `${file} belongs to another user than its folder. Run: chown ${stats.uid} ${file}`,
        ),
      )
    }
  }
  return checks
}

function octal({ mode }: Stats): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}
