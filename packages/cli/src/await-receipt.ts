import type { ClavigerClient, Receipt } from '@claviger/client'

/** The most that one request waits. */
const MAX_WAIT_SECONDS = 30

/** Connected verifiers report within milliseconds; the server answers before that. */
const SHORT_WAIT_SECONDS = 1

/**
 * The receipt once it is effective, or as it is a moment later. Whoever may revoke and not read receipts is shown the
 * first answer.
 */
export async function settleReceipt(client: ClavigerClient, receipt: Receipt): Promise<Receipt> {
  try {
    return await awaitReceipt(client, receipt, SHORT_WAIT_SECONDS)
  } catch {
    return receipt
  }
}

/** The receipt once it is effective, or as it is when the time is over. */
export async function awaitReceipt(
  client: ClavigerClient,
  receipt: Receipt,
  seconds: number,
): Promise<Receipt> {
  const untilMs = performance.now() + seconds * 1000
  let known = receipt
  for (;;) {
    const leftSeconds = Math.ceil((untilMs - performance.now()) / 1000)
    if (known.effective || leftSeconds <= 0) return known
    const waitSeconds = Math.min(leftSeconds, MAX_WAIT_SECONDS)
    known = await client.readRevocation({ path: { id: receipt.id }, query: { waitSeconds } })
  }
}
