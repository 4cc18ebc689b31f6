import { ERROR_CODES } from '@claviger/engine'
import Value from 'typebox/value'
import { describe, expect, test } from 'vitest'
import { ROUTES } from '../routes/table.ts'
import { html, prose } from './html.ts'
import { referencePage } from './reference-page.ts'

const page = referencePage(ROUTES, '9.9.9')

function articleOf(operationId: string): string {
  return page.slice(page.indexOf(`<article id="${operationId}">`)).split('</article>', 1)[0] ?? ''
}

/** What a reader sees of a piece of the page. */
function textOf(markup: string): string {
  return markup
    .replaceAll(/<[^>]+>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
}

function blocksOf(operationId: string): string[] {
  return [...articleOf(operationId).matchAll(/<pre[^>]*><code>(.*?)<\/code><\/pre>/gs)].map(([, code = '']) =>
    textOf(code),
  )
}

describe('the API reference', () => {
  test.each(ROUTES)(
    'shows $method $path with its verb, its members, an example and its problems',
    (route) => {
      const text = textOf(articleOf(route.operationId))
      expect(text).toContain(`${route.method} ${route.path}`)
      expect(text).toContain(`Verb ${route.verb}`)
      const sent = [route.body, route.query].flatMap((schema) =>
        schema !== undefined && 'properties' in schema ? Object.keys(schema.properties as object) : [],
      )
      for (const name of [...sent, ...[...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)]) {
        expect(text).toContain(name)
      }
      expect(text).toContain('curl')
      for (const code of ['unauthenticated', 'forbidden', ...(route.problems ?? [])])
        expect(text).toContain(code)
    },
  )

  test.each(ROUTES.filter(({ answer }) => answer.schema !== undefined))(
    'answers for $method $path as the route does',
    ({ operationId, answer }) => {
      const answers = blocksOf(operationId).slice(1)
      expect(answers.length).toBeGreaterThan(0)
      for (const text of answers) {
        expect(Value.Errors(answer.schema ?? {}, JSON.parse(text)), text).toEqual([])
      }
    },
  )

  test.each(ROUTES.filter(({ body }) => body !== undefined))(
    'sends a body to $method $path that the route takes',
    ({ operationId, body, bodyOptional }) => {
      const [, text] = / -d '([^']*)'/.exec(blocksOf(operationId)[0] ?? '') ?? []
      if (text === undefined) expect(bodyOptional).toBe(true)
      else expect(Value.Errors(body ?? {}, JSON.parse(text)), text).toEqual([])
    },
  )

  test('has every problem, and no link that leads nowhere', () => {
    for (const code of Object.keys(ERROR_CODES)) expect(page).toContain(`id="problem-${code}"`)
    const anchors = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
    for (const [, anchor] of page.matchAll(/href="#([^"]+)"/g)) expect(anchors).toContain(anchor)
    expect([...page.matchAll(/ id="([^"]+)"/g)]).toHaveLength(anchors.size)
  })

  test('runs nothing and styles nothing in place', () => {
    expect(page).not.toMatch(/<script| style=| on[a-z]+=|javascript:/)
  })
})

test('whatever text stands in the page is escaped', () => {
  const hostile = `</code><script>alert("1")</script>&`
  expect(html`<p title="${hostile}">${hostile}</p>`.text).not.toMatch(/<script|"1"/)
  expect(prose(`a \`${hostile}\` b`).text).toBe(
    'a <code>&lt;/code&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;</code> b',
  )
})
