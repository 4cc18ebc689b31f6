import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ROUTES } from '../routes/table.ts'
import { COMPONENTS } from './components.ts'
import { openApiDocument } from './document.ts'
import { GENERATED_FILES } from './generated-files.ts'

const document = openApiDocument(ROUTES, '0.0.0')
const text = JSON.stringify(document)

test.each(GENERATED_FILES.map((file) => [file.url.pathname.split('/').slice(-2).join('/'), file] as const))(
  'the committed %s is what `npm run generate` writes',
  (_name, { url, content }) => {
    expect(readFileSync(url, 'utf8')).toBe(content())
  },
)

test('every reference leads to a component, and every component is referred to', () => {
  const references = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name))
  expect([...references].sort()).toEqual(COMPONENTS.map(([name]) => name).sort())
})

test('every operation has a name of its own, a summary, a description and a sentence end', () => {
  const names = ROUTES.map(({ operationId }) => operationId)
  expect(new Set(names).size).toBe(names.length)
  for (const { operationId, summary, description, answer, formats } of ROUTES) {
    expect(operationId).toMatch(/^[a-z]+[A-Z][A-Za-z]+$/)
    expect(summary).toMatch(/^[A-Z].*[^.]$/)
    expect(description).toMatch(/\.$/)
    expect(answer.description).toMatch(/\.$/)
    const isEmpty = answer.schema === undefined && formats === undefined
    expect(isEmpty).toBe(answer.status === 204)
  }
})

test('each object that is sent refuses members that nobody knows', () => {
  for (const { body, query } of ROUTES) {
    for (const schema of [body, query]) {
      if (schema !== undefined) expect(schema).toMatchObject({ additionalProperties: false })
    }
  }
})
