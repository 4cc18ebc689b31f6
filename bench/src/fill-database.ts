import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { BASE62, formatKeyString, KEY_LOCATOR_LENGTH, KEY_SECRET_LENGTH, sha256 } from '@claviger/verify'

/** The columns of a key that the rows here do not set are null. */
const INSERT_KEY = `insert into keys (id, project_id, name, prefix, subject, roles, permissions, metadata, disabled,
  created_at_ms, changed_at_ms, pos) values (?, ?, 'filled', 'ck', ?, '[]', '["documents:read","billing:*"]',
  '{"plan":"team","region":"eu"}', 0, ?, ?, ?)`
const INSERT_SECRET =
  'insert into key_secrets (digest, project_id, key_number, key_id, locator, created_at_ms) values (?, ?, ?, ?, ?, ?)'

export interface FillOrder {
  readonly file: string
  readonly count: number
  readonly keep: number
}

/**
 * The child process of `key-cold.ts`, so that the memory for it is not that of the verifier. Writes so many keys into the project `default` of a database that nobody has open: the rows that creations would
 * write, in one transaction. Answers every `keep`th text.
 */
function fillDatabase({ file, count, keep }: FillOrder): string[] {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -524288; BEGIN')
  const project = database.prepare("select id, epoch, head from projects where name = 'default'").get()
  const insertKey = database.prepare(INSERT_KEY)
  const insertSecret = database.prepare(INSERT_SECRET)
  const [projectId, pos, nowMs] = [String(project?.id), `${project?.epoch}:${project?.head}`, Date.now()]
  const kept: string[] = []
  for (let index = 0; index < count; index++) {
    const characters = randomCharacters(KEY_LOCATOR_LENGTH + KEY_SECRET_LENGTH)
    const locator = characters.slice(0, KEY_LOCATOR_LENGTH)
    const text = formatKeyString('ck', locator, characters.slice(KEY_LOCATOR_LENGTH))
    // Ids rise with time, as those of the engine do.
    const id = `key_${String(index).padStart(32, '0')}`
    const { lastInsertRowid: number } = insertKey.run(id, projectId, `customer-${index}`, nowMs, nowMs, pos)
    insertSecret.run(sha256(text), projectId, number, id, locator, nowMs)
    if (index % keep === 0) kept.push(text)
  }
  database.exec('COMMIT')
  database.close()
  return kept
}

/** Not quite uniform, which nobody guesses here. */
function randomCharacters(length: number): string {
  let characters = ''
  for (const byte of randomBytes(length)) characters += BASE62[byte % BASE62.length]
  return characters
}

process.once('message', (order: FillOrder) => {
  // Two megabytes are still on their way when `send` returns.
  process.send?.(fillDatabase(order), undefined, undefined, () => process.disconnect())
})
