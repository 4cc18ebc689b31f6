import { type AuditKeys, createAuditKeys } from '../src/audit/audit-keys.ts'
import { seededRandom } from '../src/random.ts'
import { loadMasterKey } from '../src/storage/master-key.ts'

/** The audit keys of a master key that every caller gets alike. */
export function testAuditKeys(): AuditKeys {
  const text = Buffer.alloc(32, 7).toString('base64url')
  const random = seededRandom('audit keys')
  return createAuditKeys(loadMasterKey({ folder: '', databaseFile: '', text, random }))
}
