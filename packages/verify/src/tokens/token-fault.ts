/** Why a text is no token. Verifiers answer `malformed` with it. */
export interface TokenFault {
  /** One sentence for a person. Never holds text of the token. */
  readonly fault: string
}
