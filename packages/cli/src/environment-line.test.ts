import { expect, test } from 'vitest'
import { environmentLine } from './environment-line.ts'

test.each([
  ['api', 'API_KEY'],
  ['API key', 'API_KEY'],
  ['Acme production', 'ACME_PRODUCTION_KEY'],
  ['24/7', 'API_24_7_KEY'],
  ['鍵', 'API_KEY'],
  ['a\nPATH=/tmp', 'A_PATH_TMP_KEY'],
])('a key called %j is set as %s', (name, variable) => {
  expect(environmentLine(name, 'ck_text')).toBe(`${variable}=ck_text`)
})
