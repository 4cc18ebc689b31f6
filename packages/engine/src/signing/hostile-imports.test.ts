import { execFileSync, spawnSync } from 'node:child_process'
import { createCipheriv, generateKeyPairSync, pbkdf2Sync, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestInstallation, type TestInstallation } from '../../test/installation.ts'
import { createSigningKey } from './create-signing-key.ts'
import { listSigningKeys } from './list-signing-keys.ts'

const hasOpenssl = spawnSync('openssl', ['version']).status === 0

let installation: TestInstallation

beforeAll(async () => {
  installation = await openTestInstallation()
})
afterAll(() => installation.close())

async function importPem(key: string, passphrase?: string): Promise<unknown> {
  const input = { algorithm: 'RS256', key, ...(passphrase === undefined ? {} : { passphrase }) }
  return createSigningKey(await installation.scope(), input)
}

function pemOf(label: string, der: Buffer, headers = ''): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${headers}${lines.join('\n')}\n-----END ${label}-----\n`
}

/** A key pair that signs no tokens, and that OpenSSL computes with as soon as it is read. */
function dsaPkcs8(): Buffer {
  const { privateKey } = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 })
  return privateKey.export({ format: 'der', type: 'pkcs8' })
}

describe('a key that is made to keep the server busy is refused before OpenSSL sees it', () => {
  test('of a kind that signs no tokens, plain', async () => {
    await expect(importPem(pemOf('PRIVATE KEY', dsaPkcs8()))).rejects.toThrow(
      'of a kind that signs no tokens.',
    )
  })

  test.skipIf(!hasOpenssl)('of such a kind, encrypted (needs openssl)', async () => {
    const pem = execFileSync(
      'openssl',
      ['pkcs8', '-topk8', '-inform', 'DER', '-v2', 'aes-256-cbc', '-passout', 'pass:secret'],
      { input: dsaPkcs8() },
    )
    await expect(importPem(pem.toString(), 'secret')).rejects.toThrow('of a kind that signs no tokens.')
  })

  test('encrypted by headers around what is encrypted already, which would get around the bound of work', async () => {
    const iv = randomBytes(16)
    const key = pbkdf2Sync('secret', iv, 1, 32, 'sha1')
    const cipher = createCipheriv('aes-256-cbc', key, iv)
    const body = Buffer.concat([cipher.update(randomBytes(200)), cipher.final()])
    const headers = `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,${iv.toString('hex').toUpperCase()}\n\n`
    await expect(importPem(pemOf('PRIVATE KEY', body, headers), 'secret')).rejects.toThrow(
      'The PEM is encrypted twice over.',
    )
  })

  test('and none of them is there afterwards beside the first of the project', async () => {
    const { items } = await listSigningKeys(await installation.scope())
    expect(items).toHaveLength(1)
  })
})

describe('an encrypted key is decrypted', () => {
  test.skipIf(!hasOpenssl).each([
    ['aes-128-cbc', 'hmacWithSHA1'],
    ['aes-192-cbc', 'hmacWithSHA384'],
    ['aes-256-cbc', 'hmacWithSHA256'],
    ['des3', 'hmacWithSHA512'],
  ])('that openssl encrypted with %s and %s', async (cipher, prf) => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = execFileSync(
      'openssl',
      ['pkcs8', '-topk8', '-inform', 'DER', '-v2', cipher, '-v2prf', prf, '-passout', 'pass:secret'],
      { input: privateKey.export({ format: 'der', type: 'pkcs8' }) },
    )
    const scope = await installation.scope()
    const input = { algorithm: 'RS256', key: pem.toString(), status: 'retiring' }
    await expect(createSigningKey(scope, { ...input, passphrase: 'wrong' })).rejects.toThrow('passphrase')
    expect(await createSigningKey(scope, { ...input, passphrase: 'secret' })).toMatchObject({
      status: 'retiring',
    })
  })
})
