import type { ClavigerClient, Receipt } from '@claviger/client'
import { settleReceipt } from './await-receipt.ts'
import { type Cell, colors, printJson, printRecord } from './output.ts'

/** Shows what a revocation came to, a moment later: by then those that follow the feed have applied it. */
export async function showReceipt(
  client: ClavigerClient,
  made: Receipt,
  { json }: { readonly json?: boolean | undefined },
): Promise<void> {
  const receipt = await settleReceipt(client, made)
  if (json === true) printJson(receipt)
  else printReceipt(receipt)
}

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
