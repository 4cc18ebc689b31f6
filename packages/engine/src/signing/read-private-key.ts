import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { parseStrictJson } from '@claviger/verify'
import { CodedError } from '../coded-error.ts'
import { decryptPkcs8, holdsKnownKey } from './encrypted-pem.ts'

/** The text of a private key, as its owner has it. */
export interface PrivateKeyText {
  /** PEM (PKCS #8, PKCS #1, SEC 1; RFC 7468) or a private JWK. */
  readonly text: string
  readonly passphrase: string | undefined
}

export interface PrivateKeyRead {
  readonly privateKey: KeyObject
  /** What a JWK says of itself beside the key; empty for PEM. */
  readonly stated: Readonly<Record<string, unknown>>
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n((?:(?!-----)[\s\S])+)-----END \1-----/g
const ENCRYPTED = 'ENCRYPTED PRIVATE KEY'
/** These alone were ever encrypted by headers in the PEM. */
const LEGACY_LABELS = ['RSA PRIVATE KEY', 'EC PRIVATE KEY']
const PRIVATE_LABELS = ['PRIVATE KEY', ENCRYPTED, ...LEGACY_LABELS]

/**
 * Reads a private key. Throws `invalid_request` that says what is wrong with it, and never repeats a part of it: what
 * OpenSSL says is dropped for that reason.
 */
export async function readPrivateKey({ text, passphrase }: PrivateKeyText): Promise<PrivateKeyRead> {
  if (text.trimStart().startsWith('{')) return readJwk(text, passphrase)
  return { privateKey: await readPem(text, passphrase), stated: {} }
}

function readJwk(text: string, passphrase: string | undefined): PrivateKeyRead {
  if (passphrase !== undefined) throw refused('A JWK is not encrypted: leave the passphrase out.')
  const jwk = parseStrictJson(text.trim())
  if (jwk === undefined) throw refused('The JWK is not strict JSON.')
  if (Array.isArray(jwk.keys)) throw refused('It is a set of keys. Give one JWK of it.')
  if (jwk.d === undefined && jwk.priv === undefined) throw refused('The JWK holds no private key.')
  try {
    return { privateKey: createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }), stated: jwk }
  } catch {
    throw refused('The JWK is no private key: a member is missing, or does not fit the others.')
  }
}

async function readPem(text: string, passphrase: string | undefined): Promise<KeyObject> {
  const blocks = [...text.matchAll(PEM_BLOCK)]
  // `openssl ecparam -genkey` writes the curve first, and a certificate may stand beside its key.
  const keys = blocks.filter(([, label]) => label?.endsWith('PRIVATE KEY'))
  const [block] = keys
  if (block === undefined) throw refused('It is neither a JWK nor a private key in PEM.')
  if (keys.length > 1) throw refused('There is more than one private key in the PEM. Give one.')
  const [pem, label = '', body = ''] = block
  if (!PRIVATE_LABELS.includes(label)) {
    throw refused('The PEM is of another format. Convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc.')
  }
  const isLegacy = body.includes('Proc-Type:')
  if (isLegacy && !LEGACY_LABELS.includes(label)) {
    throw refused('The PEM is encrypted twice over. Convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc.')
  }
  const isEncrypted = label === ENCRYPTED || isLegacy
  if (isEncrypted && passphrase === undefined) throw refused('The PEM is encrypted: give its passphrase.')
  if (!isEncrypted && passphrase !== undefined) {
    throw refused('The PEM is not encrypted: leave the passphrase out.')
  }
  const isPkcs8 = label === ENCRYPTED || label === 'PRIVATE KEY'
  const given = Buffer.from(body, 'base64')
  const info = label === ENCRYPTED ? await decryptPkcs8(given, passphrase ?? '') : given
  if ('fault' in info) throw refused(info.fault)
  if (isPkcs8 && !holdsKnownKey(info)) {
    // One wrong passphrase in some hundreds decrypts to something.
    throw refused(
      isEncrypted
        ? 'The passphrase does not open the PEM, or what is in it is of a kind that signs no tokens.'
        : 'The PEM holds no private key that can be read, or one of a kind that signs no tokens.',
    )
  }
  try {
    if (isPkcs8) return createPrivateKey({ key: info, format: 'der', type: 'pkcs8' })
    return createPrivateKey({ key: pem, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) })
  } catch {
    throw refused(
      isEncrypted
        ? 'The passphrase does not open the PEM, or what is in it is no private key.'
        : 'The PEM holds no private key that can be read.',
    )
  }
}

function refused(reason: string): CodedError {
  return new CodedError('invalid_request', `The key cannot be imported. ${reason}`)
}
