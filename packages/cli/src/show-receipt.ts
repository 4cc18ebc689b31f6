import type { Receipt } from '@claviger/client'
import { colors, printRecord } from './output.ts'

export function printReceipt(receipt: Receipt): void {
  console.log(
    receipt.effective
      ? `${colors.green('Revoked')}, and effective everywhere.`
      : `${colors.yellow('Revoked')}, but not applied yet by: ${receipt.verifiers.join(', ')}`,
  )
  printRecord([
    ['revocation', receipt.id],
    ['position', receipt.position],
  ])
}
