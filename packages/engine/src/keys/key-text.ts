import { formatKeyString, KEY_LOCATOR_LENGTH, KEY_SECRET_LENGTH, sha256 } from '@claviger/verify'
import { type Random, randomBase62 } from '../random.ts'

/** What of a new secret reaches the database: never its text. */
export interface NewSecret {
  readonly digest: string
  readonly locator: string
}

/** Makes the text of a key. Made on the caller's side, so that the text never leaves it (rule C1). */
export function makeKeyText(
  prefix: string,
  random: Random,
): { readonly text: string; readonly secret: NewSecret } {
  const locator = randomBase62(KEY_LOCATOR_LENGTH, random)
  const text = formatKeyString(prefix, locator, randomBase62(KEY_SECRET_LENGTH, random))
  return { text, secret: { digest: sha256(text), locator } }
}
