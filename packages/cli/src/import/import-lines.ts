import type { ClavigerClient, ImportedKeys, KeyShape } from '@claviger/client'
import { KeyShapes } from '@claviger/verify'
import type { FailureReport } from './failure-report.ts'
import { type KeyToImport, readKeyLine } from './read-key-line.ts'
import type { Line } from './read-lines.ts'

export interface ImportTotals {
  readonly lines: number
  readonly imported: number
  readonly exists: number
  readonly failed: number
}

export interface ImportJob {
  readonly client: Pick<ClavigerClient, 'importKeys'>
  readonly shape: KeyShape
  readonly dryRun: boolean
  readonly report: FailureReport
  /** Told after each batch. */
  readonly onProgress: (totals: ImportTotals, bytesRead: number) => void
}

/** What the server takes at once. */
const MAX_LINES = 500
/** The server takes 1 MiB. */
const MAX_BYTES = 1_000_000
/** While the server writes one batch, it reads the next. */
const BATCHES_IN_FLIGHT = 4

interface Batch {
  readonly keys: KeyToImport[]
  /** The number of the line that each key stands in. */
  readonly lineNumbers: number[]
  bytesRead: number
  bytes: number
}

/**
 * Sends the keys in batches, a few at once, and takes their answers in order. Holds no more than these batches of the
 * input. Rejects at the first batch that is refused as a whole; what was sent before it is imported.
 */
export async function importLines(lines: AsyncIterable<Line>, job: ImportJob): Promise<ImportTotals> {
  const { client, shape, dryRun, report } = job
  const shapes = new KeyShapes([shape])
  const totals = { lines: 0, imported: 0, exists: 0, failed: 0 }
  const inFlight: { readonly batch: Batch; readonly answer: Promise<ImportedKeys | Error> }[] = []

  const fail = (lineNumber: number, code: string, detail: string): void => {
    totals.failed++
    report.add({ line: lineNumber, code, detail })
  }
  const takeOldest = async (): Promise<void> => {
    const oldest = inFlight.shift()
    if (oldest === undefined) return
    const answer = await oldest.answer
    if (answer instanceof Error) throw answer
    totals.imported += answer.imported
    totals.exists += answer.exists
    for (const { index, code, detail } of answer.failed) {
      fail(oldest.batch.lineNumbers[index] ?? 0, code, detail)
    }
    job.onProgress(totals, oldest.batch.bytesRead)
  }
  const send = async (batch: Batch): Promise<void> => {
    if (batch.keys.length === 0) return
    if (inFlight.length === BATCHES_IN_FLIGHT) await takeOldest()
    const body = { shape: shape.name, dryRun, keys: batch.keys }
    const answer = client
      .importKeys({ body })
      .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
    inFlight.push({ batch, answer })
  }

  let batch = newBatch()
  for await (const { number, text, bytesRead } of lines) {
    totals.lines++
    const key = readKeyLine(text, { shape, shapes })
    if ('fault' in key) {
      fail(number, 'invalid_line', key.fault)
      continue
    }
    const bytes = Buffer.byteLength(JSON.stringify(key)) + 1
    if (batch.keys.length === MAX_LINES || batch.bytes + bytes > MAX_BYTES) {
      await send(batch)
      batch = newBatch()
    }
    batch.keys.push(key)
    batch.lineNumbers.push(number)
    batch.bytes += bytes
    batch.bytesRead = bytesRead
  }
  await send(batch)
  while (inFlight.length > 0) await takeOldest()
  return totals
}

function newBatch(): Batch {
  return { keys: [], lineNumbers: [], bytesRead: 0, bytes: 0 }
}
