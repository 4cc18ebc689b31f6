import { appendFile, open, readFile, rename } from 'node:fs/promises'
import { keepSnapshot, type SnapshotKeeping } from './snapshot-keeper.ts'

export { keepSnapshot, type SnapshotKeeping } from './snapshot-keeper.ts'
export type { SnapshotStore } from './snapshot-store.ts'

/** For the program's own account alone. */
const MODE = 0o600

/** Keeps a verifier's snapshot in a file of Node's. It is replaced as a whole, so a crash leaves the old one or the new. */
export function snapshotFile(path: string): SnapshotKeeping {
  return keepSnapshot({
    async read() {
      try {
        return await readFile(path, 'utf8')
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
        throw error
      }
    },
    async write(text) {
      const file = await open(`${path}.new`, 'w', MODE)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${path}.new`, path)
    },
    append: (text) => appendFile(path, text, { mode: MODE }),
  })
}
