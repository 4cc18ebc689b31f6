import { createHash } from 'node:crypto'
import { sha256 } from '@claviger/verify'
import { expect, test } from 'vitest'
import { HASH_ENCODINGS, readKeyHash } from './key-hash.ts'

const TEXT = 'old_a-key-with-a-hash-that-needs-both-62nd-letters-22'
const hash = (encoding: 'hex' | 'base64' | 'base64url'): string =>
  createHash('sha256').update(TEXT).digest(encoding)

test.each(HASH_ENCODINGS)('a hash in %s becomes the digest that a verifier asks for', (encoding) => {
  expect(readKeyHash(hash(encoding), encoding)).toBe(sha256(TEXT))
})

test('padding may be there or not, and hex may be of capitals', () => {
  expect(readKeyHash(hash('base64').replace('=', ''), 'base64')).toBe(sha256(TEXT))
  expect(readKeyHash(`${hash('base64url')}=`, 'base64url')).toBe(sha256(TEXT))
  expect(readKeyHash(hash('hex').toUpperCase(), 'hex')).toBe(sha256(TEXT))
})

test.each<[string, 'hex' | 'base64' | 'base64url', string]>([
  ['nothing', 'hex', ''],
  ['one byte less', 'hex', hash('hex').slice(2)],
  ['one byte more', 'hex', `${hash('hex')}00`],
  ['a letter that is none', 'hex', `${hash('hex').slice(1)}g`],
  ['another encoding', 'hex', hash('base64')],
  ['SHA-1', 'hex', createHash('sha1').update(TEXT).digest('hex')],
  ['SHA-512', 'base64', createHash('sha512').update(TEXT).digest('base64')],
  ['trailing bits that mean nothing', 'base64url', `${sha256('padding').slice(0, -1)}_`],
  ['a space', 'base64', ` ${hash('base64')}`],
  ['too much padding', 'base64', `${hash('base64')}=`],
  ['the other alphabet', 'base64url', Buffer.alloc(32, 0xff).toString('base64')],
  ['the key itself', 'base64url', TEXT],
])('what is no SHA-256 in the encoding is none: %s', (_, encoding, text) => {
  expect(readKeyHash(text, encoding)).toBeUndefined()
})
