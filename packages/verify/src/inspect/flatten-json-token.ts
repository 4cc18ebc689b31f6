/**
 * The compact serialisation of a JWS in JSON (RFC 7515, section 7.2), if it has one signature; undefined for any
 * other text. What stands in an unprotected header is left out: nobody signed it.
 */
export function flattenJsonToken(json: string): string | undefined {
  const token = parseObject(json)
  const signatures: unknown = token?.signatures
  const signed = Array.isArray(signatures) ? (signatures.length === 1 ? signatures[0] : undefined) : token
  if (token === undefined || typeof signed !== 'object' || signed === null) return undefined
  const { protected: header, signature } = signed as Record<string, unknown>
  const parts = [header, token.payload, signature]
  return parts.every((part) => typeof part === 'string' && !part.includes('.')) ? parts.join('.') : undefined
}

/** Whether it is a JWS or a JWE in JSON, of whatever form. */
export function isJsonToken(json: string): boolean {
  const token = parseObject(json)
  return (
    token !== undefined && ['payload', 'signatures', 'ciphertext'].some((name) => Object.hasOwn(token, name))
  )
}

function parseObject(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
