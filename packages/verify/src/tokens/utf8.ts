/** One for all. What is read of it is ASCII mostly. */
export const utf8 = new TextEncoder()

/** Refuses what is not UTF-8 instead of replacing it, and keeps a byte order mark, which JSON refuses. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads UTF-8; undefined when the bytes are not. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
