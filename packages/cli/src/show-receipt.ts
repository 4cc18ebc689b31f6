import type { Receipt } from '@claviger/client'
import { type Cell, colors, printRecord } from './output.ts'

export function printReceipt(receipt: Receipt): void {
  console.log(
    receipt.effective
      ? `${colors.green('Revoked')}, and effective ${receipt.signingKey === undefined ? 'everywhere' : 'at every verifier that follows the feed'}.`
      : `${colors.yellow('Revoked')}, but not applied yet by: ${receipt.verifiers.join(', ')}`,
  )
  printRecord([['revocation', receipt.id], ['position', receipt.position], ...signingKeyOf(receipt)])
}

function signingKeyOf({ signingKey }: Receipt): (readonly [string, Cell])[] {
  if (signingKey === undefined) return []
  return [
    ['signing key', signingKey.id],
    [
      'its tokens',
      signingKey.tokensUntil === null ? 'none' : `refused; the last one ends ${signingKey.tokensUntil}`,
    ],
    ['JWKS readers', `may accept them until ${signingKey.jwksUntil}`],
  ]
}
