import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { seededRandom } from '../random.ts'
import { loadMasterKey, type MasterKeyPlace } from './master-key.ts'

const TEXT = Buffer.alloc(32, 7).toString('base64url')

function place(change: Partial<MasterKeyPlace> = {}): MasterKeyPlace {
  const folder = temporaryFolder()
  return {
    folder,
    databaseFile: join(folder, 'claviger.db'),
    text: undefined,
    random: seededRandom('master'),
    ...change,
  }
}

test('the first start makes a key for its owner alone, and the next one reads the same', () => {
  const where = place()
  const first = loadMasterKey(where)
  const file = join(where.folder, 'master-key')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).toMatch(/^[\w-]{43}\n$/)
  expect(loadMasterKey({ ...where, random: seededRandom('other') }).fingerprint).toBe(first.fingerprint)
})

test('a file that others can read is refused, with the command that repairs it', () => {
  const where = place()
  loadMasterKey(where)
  const file = join(where.folder, 'master-key')
  chmodSync(file, 0o640)
  expect(() => loadMasterKey(where)).toThrow(`Run: chmod 600 ${file}`)
})

test('no new key is made beside a database whose key is missing', () => {
  const where = place()
  loadMasterKey(where)
  writeFileSync(where.databaseFile, '')
  rmSync(join(where.folder, 'master-key'))
  expect(() => loadMasterKey(where)).toThrow(/is missing/)
  expect(existsSync(join(where.folder, 'master-key'))).toBe(false)
})

test('a key given as text goes before the file, and makes none', () => {
  const where = place({ text: TEXT })
  loadMasterKey(where)
  expect(existsSync(join(where.folder, 'master-key'))).toBe(false)
})

test.each([
  ['too short', TEXT.slice(1)],
  ['empty', ''],
  ['padded', `${TEXT}=`],
  ['with bits that say nothing', `${TEXT.slice(0, -1)}d`],
])('a key %s is refused, and not repeated', (_, text) => {
  const load = (): unknown => loadMasterKey(place({ text }))
  expect(load).toThrow(/^CLAVIGER_MASTER_KEY must be 32 bytes/)
})

test('purposes give different keys, and the key does not print', () => {
  const key = loadMasterKey(place({ text: TEXT }))
  expect(key.derive('a').equals(key.derive('b'))).toBe(false)
  expect(key.derive('a').equals(key.derive('a'))).toBe(true)
  expect(inspect(key, { showHidden: true, depth: 9 })).not.toContain(TEXT)
  expect(JSON.stringify(key)).not.toContain(TEXT)
})
