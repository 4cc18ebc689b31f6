/** PBES2 and PBKDF2 (RFC 8018, appendix A), as DER writes them. */
const PBES2 = '2a864886f70d01050d'
const PBKDF2 = '2a864886f70d01050c'

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

/**
 * Why an EncryptedPrivateKeyInfo (RFC 5958) is not decrypted; undefined: it may be. Whoever made it has chosen how much
 * work that is, and it is done where everything else waits: so only what says plainly that it is little is tried.
 */
export function faultOfEncryption(der: Uint8Array): string | undefined {
  const iterations = iterationsOf(der)
  if (iterations === undefined) {
    return 'It is encrypted in a way that is not taken here. Encrypt it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc.'
  }
  if (iterations > MAX_ITERATIONS) {
    return `Its passphrase is stretched more than ${MAX_ITERATIONS} times. Encrypt it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc.`
  }
  return undefined
}

/** How often PBKDF2 is to hash; undefined when it is not PBES2 with PBKDF2, or not written strictly. */
function iterationsOf(der: Uint8Array): number | undefined {
  const [info] = elementsOf(der)
  const [algorithm] = childrenOf(info)
  const [scheme, parameters] = childrenOf(algorithm)
  const [derivation] = childrenOf(parameters)
  const [kdf, kdfParameters] = childrenOf(derivation)
  const [salt, count] = childrenOf(kdfParameters)
  if (!isObject(scheme, PBES2) || !isObject(kdf, PBKDF2)) return undefined
  if (salt?.tag !== OCTET_STRING || count?.tag !== INTEGER) return undefined
  const { length } = count.content
  if (length === 0 || (count.content[0] ?? 0) >= 0x80) return undefined
  return length > 6 ? Number.POSITIVE_INFINITY : Buffer.from(count.content).readUIntBE(0, length)
}

function isObject(element: Element | undefined, identifier: string): boolean {
  return element?.tag === OBJECT_IDENTIFIER && Buffer.from(element.content).toString('hex') === identifier
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
