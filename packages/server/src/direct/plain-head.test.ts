import { describe, expect, test } from 'vitest'
import { readPlainHead } from './plain-head.ts'

const HOST = 'Host: localhost'
const TYPE = 'Content-Type: application/json'
const LENGTH = 'Content-Length: 7'
const NONE: ReadonlySet<string> = new Set()

const read = (fields: readonly string[], refused = NONE, end = '\r\n\r\n') =>
  readPlainHead(`${fields.join('\r\n')}${end}{"a":1}`, 0, refused)

describe('a head is plain:', () => {
  test('with its headers as they came, and where the body begins', () => {
    const fields = ['host:localhost', TYPE, 'CONTENT-LENGTH: 7', 'X-Some: a\tb c', "!#$%&'*+-.^_`|~09: :"]
    const bodyStart = fields.join('\r\n').length + 4
    expect(read(fields)).toEqual({
      rawHeaders: [
        ...['host', 'localhost', 'Content-Type', 'application/json', 'CONTENT-LENGTH', '7'],
        ...['X-Some', 'a\tb c', "!#$%&'*+-.^_`|~09", ':'],
      ],
      contentLength: 7,
      bodyStart,
      close: false,
    })
  })

  test.each([
    ['Connection: close', true],
    ['connection: Close', true],
    ['Connection: keep-alive', false],
    ['Connection: Keep-Alive', false],
  ])('with %s', (field, close) => {
    expect(read([HOST, TYPE, LENGTH, field])?.close).toBe(close)
  })
})

describe('a head is left to a parser that knows all of HTTP:', () => {
  test.each<[string, readonly string[]]>([
    ['no host', [TYPE, LENGTH]],
    ['two hosts', [HOST, HOST, TYPE, LENGTH]],
    ['no media type', [HOST, LENGTH]],
    ['another media type', [HOST, 'Content-Type: text/plain', LENGTH]],
    ['a media type with a parameter', [HOST, `${TYPE}; charset=utf-8`, LENGTH]],
    ['two media types', [HOST, TYPE, TYPE, LENGTH]],
    ['no length', [HOST, TYPE]],
    ['a length twice, the same', [HOST, TYPE, LENGTH, LENGTH]],
    ['a length twice, another', [HOST, TYPE, LENGTH, 'Content-Length: 8']],
    ['no body', [HOST, TYPE, 'Content-Length: 0']],
    ['a length with a sign', [HOST, TYPE, 'Content-Length: +7']],
    ['a length with a zero before', [HOST, TYPE, 'Content-Length: 07']],
    ['a length in hexadecimal', [HOST, TYPE, 'Content-Length: 0x7']],
    ['a list of lengths', [HOST, TYPE, 'Content-Length: 7, 7']],
    ['a length beyond all numbers', [HOST, TYPE, `Content-Length: ${'9'.repeat(30)}`]],
    ['chunks', [HOST, TYPE, 'Transfer-Encoding: chunked']],
    ['chunks and a length', [HOST, TYPE, LENGTH, 'Transfer-Encoding: chunked']],
    ['chunks under a name in capitals', [HOST, TYPE, LENGTH, 'TRANSFER-ENCODING: chunked']],
    ['a coding of the body', [HOST, TYPE, LENGTH, 'Content-Encoding: gzip']],
    ['an expectation', [HOST, TYPE, LENGTH, 'Expect: 100-continue']],
    ['another protocol', [HOST, TYPE, LENGTH, 'Connection: upgrade', 'Upgrade: h2c']],
    ['another option of the connection', [HOST, TYPE, LENGTH, 'Connection: keep-alive, x-some']],
    ['two options of the connection', [HOST, TYPE, LENGTH, 'Connection: close', 'Connection: keep-alive']],
    ['trailers', [HOST, TYPE, LENGTH, 'Trailer: x-some']],
    ['a space before the colon', [HOST, TYPE, LENGTH, 'X-Some : a']],
    ['a name with a space', [HOST, TYPE, LENGTH, 'X Some: a']],
    ['no name', [HOST, TYPE, LENGTH, ': a']],
    ['no colon', [HOST, TYPE, LENGTH, 'X-Some']],
    ['no value', [HOST, TYPE, LENGTH, 'X-Some:']],
    ['two spaces before the value', [HOST, TYPE, LENGTH, 'X-Some:  a']],
    ['a space after the value', [HOST, TYPE, LENGTH, 'X-Some: a ']],
    ['a tab after the value', [HOST, TYPE, LENGTH, 'X-Some: a\t']],
    ['a folded line', [HOST, TYPE, LENGTH, 'X-Some: a', ' b']],
    ['a line feed alone', [HOST, TYPE, `${LENGTH}\nX-Some: a`]],
    ['a carriage return alone', [HOST, TYPE, `${LENGTH}\rX-Some: a`]],
    ['a null', [HOST, TYPE, LENGTH, 'X-Some: a\0b']],
    ['a control character', [HOST, TYPE, LENGTH, 'X-Some: a\x7fb']],
    ['a byte beyond ASCII', [HOST, TYPE, LENGTH, 'X-Some: \xe4']],
    ['too many headers', [HOST, TYPE, LENGTH, ...Array(98).fill('X-Some: a')]],
  ])('%s', (_what, fields) => {
    expect(read(fields)).toBeUndefined()
  })

  test('a name that is refused here, however it is spelled', () => {
    const fields = [HOST, TYPE, LENGTH, 'X-Forwarded-FOR: 192.0.2.1']
    expect(read(fields)).toBeDefined()
    expect(read(fields, new Set(['x-forwarded-for']))).toBeUndefined()
  })

  test.each(['', '\r\n', '\n\n', '\r\n\n', '\r\n\r', '\r\n \r\n'])('an end that is none: %j', (end) => {
    expect(readPlainHead([HOST, TYPE, LENGTH].join('\r\n') + end, 0, NONE)).toBeUndefined()
  })
})
