import { expect, test } from 'vitest'
import { csvLine } from './csv.ts'

test.each([
  [['plain', 7, null, undefined], 'plain,7,,'],
  [['a,b', 'say "no"', 'two\nlines'], '"a,b","say ""no""","two\nlines"'],
])('a line is written as RFC 4180 says: %j', (values, line) => {
  expect(csvLine(values)).toBe(line)
})

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', "=cmd|' /C calc'!A0"])(
  'attack: a spreadsheet runs no formula that stands in a name: %j',
  (text) => {
    expect(csvLine([text]).replace(/^"/, '')).toMatch(/^'/)
  },
)

test('numbers stay numbers, also below zero', () => {
  expect(csvLine([-1])).toBe('-1')
})
