import { isUtf8 } from 'node:buffer'

/** One line of the input that is not blank. */
export interface Line {
  /** From 1. */
  readonly number: number
  /** Null: it is too long, or no UTF-8. */
  readonly text: string | null
  /** How much of the input has been read, up to its end. */
  readonly bytesRead: number
}

/** More than any key's record can have. */
const MAX_LINE_BYTES = 65_536
const LINE_FEED = 10
const BYTE_ORDER_MARK = '\ufeff'

/** Takes the input apart without ever holding more of it than one line and one chunk. */
export async function* readLines(input: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let number = 0
  let bytesRead = 0
  let held: Buffer[] = []
  let heldBytes = 0
  const hold = (part: Buffer): void => {
    bytesRead += part.length
    heldBytes += part.length
    if (heldBytes <= MAX_LINE_BYTES) held.push(part)
  }
  const take = (): Line => {
    const bytes = Buffer.concat(held)
    const isSound = heldBytes <= MAX_LINE_BYTES && isUtf8(bytes)
    held = []
    heldBytes = 0
    number++
    return { number, text: isSound ? bytes.toString().replace(BYTE_ORDER_MARK, '').trim() : null, bytesRead }
  }
  for await (const chunk of input) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      hold(chunk.subarray(start, end + 1))
      start = end + 1
      const line = take()
      if (line.text !== '') yield line
    }
    hold(chunk.subarray(start))
  }
  if (heldBytes === 0) return
  const line = take()
  if (line.text !== '') yield line
}
