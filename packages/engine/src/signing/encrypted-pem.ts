import { createDecipheriv, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'

/** PBES2 and PBKDF2 (RFC 8018, appendix A), as DER writes them. */
const PBES2 = '2a864886f70d01050d'
const PBKDF2 = '2a864886f70d01050c'

/** The pseudo-random functions of PBKDF2; absent means the first. */
const DIGESTS: Readonly<Record<string, string>> = {
  '2a864886f70d0207': 'sha1',
  '2a864886f70d0209': 'sha256',
  '2a864886f70d020a': 'sha384',
  '2a864886f70d020b': 'sha512',
}
const CIPHERS: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  '60864801650304012a': { name: 'aes-256-cbc', keyBytes: 32 },
  '608648016503040116': { name: 'aes-192-cbc', keyBytes: 24 },
  '608648016503040102': { name: 'aes-128-cbc', keyBytes: 16 },
  '2a864886f70d0307': { name: 'des-ede3-cbc', keyBytes: 24 },
}

/** RSA, RSA for PSS, elliptic curves, Ed25519, ML-DSA-65. */
const KEY_KINDS = [
  '2a864886f70d010101',
  '2a864886f70d01010a',
  '2a8648ce3d0201',
  '2b6570',
  '608648016503040312',
]

const SEQUENCE = 0x30
const OBJECT_IDENTIFIER = 0x06
const OCTET_STRING = 0x04
const INTEGER = 0x02

/** About half a second. OpenSSL writes 2,048; the largest recommendation for passwords is 600,000. */
const MAX_ITERATIONS = 1_000_000

interface Element {
  readonly tag: number
  readonly content: Uint8Array
}

const stretch = promisify(pbkdf2)

const OTHER_WAY =
  'It is encrypted in a way that is not taken here. Encrypt it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc.'

/**
 * Decrypts an EncryptedPrivateKeyInfo (RFC 5958) into a PrivateKeyInfo, or says why not. Whoever made it has chosen how
 * much work that is: what does not say plainly that it is little is not tried, and what is, is done on the thread pool.
 *
 * OpenSSL could do all of this by itself, and would then open whatever is inside: see {@link holdsKnownKey}.
 */
export async function decryptPkcs8(
  der: Buffer,
  passphrase: string,
): Promise<Buffer | { readonly fault: string }> {
  const encryption = readEncryption(der)
  if (encryption === undefined) return { fault: OTHER_WAY }
  const { salt, iterations, digest, cipher, iv, encrypted } = encryption
  if (iterations > MAX_ITERATIONS) {
    return {
      fault: `Its passphrase is stretched more than ${MAX_ITERATIONS} times. Encrypt it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc.`,
    }
  }
  try {
    const key = await stretch(passphrase, salt, iterations, cipher.keyBytes, digest)
    const decipher = createDecipheriv(cipher.name, key, iv)
    return Buffer.concat([decipher.update(encrypted), decipher.final()])
  } catch {
    return { fault: 'The passphrase does not open the PEM, or what is in it is no private key.' }
  }
}

/**
 * Whether a PrivateKeyInfo (RFC 5958) is of a kind that signs tokens. Others are not given to OpenSSL: to load a DSA key
 * it computes with numbers of whatever size stands there, for minutes, while everything else waits.
 */
export function holdsKnownKey(der: Uint8Array): boolean {
  const [info] = elementsOf(der)
  const [, algorithm] = childrenOf(info)
  const [kind] = childrenOf(algorithm)
  return kind?.tag === OBJECT_IDENTIFIER && KEY_KINDS.includes(hexOf(kind))
}

interface Encryption {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly digest: string
  readonly cipher: { readonly name: string; readonly keyBytes: number }
  readonly iv: Uint8Array
  readonly encrypted: Uint8Array
}

/** Undefined when it is not PBES2 with PBKDF2 and a cipher of the table, or not written strictly. */
function readEncryption(der: Uint8Array): Encryption | undefined {
  const [info] = elementsOf(der)
  const [algorithm, encrypted] = childrenOf(info)
  const [scheme, parameters] = childrenOf(algorithm)
  const [derivation, encryption] = childrenOf(parameters)
  const [kdf, kdfParameters] = childrenOf(derivation)
  const [salt, count, ...options] = childrenOf(kdfParameters)
  const [cipherName, iv] = childrenOf(encryption)
  if (!isObject(scheme, PBES2) || !isObject(kdf, PBKDF2)) return undefined
  if (salt?.tag !== OCTET_STRING || iv?.tag !== OCTET_STRING || encrypted?.tag !== OCTET_STRING)
    return undefined
  const iterations = readPositive(count)
  const [functionName] = childrenOf(options.find(({ tag }) => tag === SEQUENCE))
  const digest = functionName === undefined ? 'sha1' : DIGESTS[hexOf(functionName)]
  const cipher = cipherName === undefined ? undefined : CIPHERS[hexOf(cipherName)]
  if (iterations === undefined || digest === undefined || cipher === undefined) return undefined
  return { salt: salt.content, iterations, digest, cipher, iv: iv.content, encrypted: encrypted.content }
}

function readPositive(element: Element | undefined): number | undefined {
  if (element?.tag !== INTEGER) return undefined
  const { content } = element
  if (content.length === 0 || (content[0] ?? 0) >= 0x80) return undefined
  if (content.length > 6) return Number.POSITIVE_INFINITY
  const value = Buffer.from(content).readUIntBE(0, content.length)
  return value === 0 ? undefined : value
}

function hexOf({ content }: Element): string {
  return Buffer.from(content).toString('hex')
}

function isObject(element: Element | undefined, identifier: string): boolean {
  return element?.tag === OBJECT_IDENTIFIER && hexOf(element) === identifier
}

function childrenOf(element: Element | undefined): readonly Element[] {
  return element?.tag === SEQUENCE ? elementsOf(element.content) : []
}

/** The elements that stand one after another; none when one of them is not DER of a definite length. */
function elementsOf(bytes: Uint8Array): readonly Element[] {
  const elements: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = lengthAt(bytes, at + 1)
    if (length === undefined || length.end > bytes.length) return []
    elements.push({ tag: bytes[at] ?? 0, content: bytes.subarray(length.start, length.end) })
    at = length.end
  }
  return elements
}

/** Where the content begins and ends whose length is written at `at`: one byte, or their number and then up to three. */
function lengthAt(
  bytes: Uint8Array,
  at: number,
): { readonly start: number; readonly end: number } | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  if (first < 0x80) return { start: at + 1, end: at + 1 + first }
  const count = first - 0x80
  if (count < 1 || count > 3 || at + count >= bytes.length) return undefined
  const start = at + 1 + count
  return { start, end: start + Buffer.from(bytes).readUIntBE(at + 1, count) }
}
