/** A line that is longer than this is none: a change is one. */
const MAX_LINE_CHARACTERS = 64 * 1024 * 1024

/**
 * The lines of a body, as they come; `heard` is called for whatever comes. What follows the last line break is none:
 * whoever writes ends each.
 */
export async function* textLines(
  body: ReadableStream<Uint8Array>,
  heard?: () => void,
): AsyncGenerator<string, void> {
  let rest = ''
  for await (const piece of textPieces(body)) {
    heard?.()
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE_CHARACTERS) throw new TypeError('A line of the answer is too long.')
    yield* lines
  }
}

async function* textPieces(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  const reader = body.getReader()
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      yield decoder.decode(value, { stream: true })
    }
  } finally {
    // Whoever stops reading wants no more of it: the connection need not be drained.
    await reader.cancel().catch(() => undefined)
  }
}
