import { expect, test } from 'vitest'
import { type Line, readLines } from './read-lines.ts'

async function linesOf(...chunks: (string | Buffer)[]): Promise<Line[]> {
  async function* input(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk)
  }
  const lines: Line[] = []
  for await (const line of readLines(input())) lines.push(line)
  return lines
}

const textsOf = (lines: readonly Line[]): unknown[] => lines.map(({ number, text }) => [number, text])

test('lines are put together however the input is cut', async () => {
  const whole = '\ufeff{"a":"é"}\r\n\n  \n{"b":2}\n{"c":3}'
  const expected = [
    [1, '{"a":"é"}'],
    [4, '{"b":2}'],
    [5, '{"c":3}'],
  ]
  const bytes = Buffer.from(whole)
  for (let size = 1; size <= bytes.length; size++) {
    const chunks = []
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
    const lines = await linesOf(...chunks)
    expect(textsOf(lines)).toEqual(expected)
    expect(lines.at(-1)?.bytesRead).toBe(bytes.length)
  }
})

test('a line that is too long, or no UTF-8, is counted and not held', async () => {
  const part = Buffer.alloc(1_048_576, 'x')
  const lines = await linesOf('1\n', part, part, part, '\n', Buffer.from([0xff, 0x0a]), '4')
  expect(textsOf(lines)).toEqual([
    [1, '1'],
    [2, null],
    [3, null],
    [4, '4'],
  ])
})

test('nothing has no lines', async () => {
  expect(await linesOf()).toEqual([])
  expect(await linesOf('\n\n')).toEqual([])
})
