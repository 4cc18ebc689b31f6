/** The lines of a body, as they come. What follows the last line break is none: whoever writes ends each. */
export async function* textLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  let rest = ''
  for await (const piece of textPieces(body)) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

/** The text of a body, as it comes. */
export async function* textPieces(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
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
