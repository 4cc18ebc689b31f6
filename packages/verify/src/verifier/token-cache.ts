import { BoundedCache } from './bounded-cache.ts'
import type { TokenCredential } from './token-credential.ts'

/** How many characters of the text's end are looked at, without the last, of which only some bits count. */
const SAMPLE_LENGTH = 8

/**
 * Tokens whose signature was checked, found by their text: first by an integer made of the last characters of
 * the signature, then by comparison of the whole text. That costs less than a digest of the text, and a text
 * that differs anywhere is another token. Two tokens with one integer share a place; the newer one keeps it.
 * Nobody gains by provoking that: only texts with a valid signature come in here.
 */
export class TokenCache {
  readonly #tokens: BoundedCache<number, TokenCredential>

  constructor(capacity: number) {
    this.#tokens = new BoundedCache(capacity)
  }

  get size(): number {
    return this.#tokens.size
  }

  get(text: string): TokenCredential | undefined {
    const token = this.#tokens.get(sample(text))
    return token !== undefined && token.text === text ? token : undefined
  }

  add(token: TokenCredential): void {
    this.#tokens.set(sample(token.text), token)
  }

  clear(): void {
    this.#tokens.clear()
  }
}

function sample(text: string): number {
  let number = 0
  for (let index = text.length - 1 - SAMPLE_LENGTH; index < text.length - 1; index++) {
    number = (Math.imul(number, 31) + text.charCodeAt(index)) | 0
  }
  return number
}
