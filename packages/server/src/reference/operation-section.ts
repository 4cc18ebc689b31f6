import type { Verb } from '@claviger/engine'
import { exampleAnswers, exampleBody, exampleId } from './examples.ts'
import { breakable, type Html, html, prose } from './html.ts'
import { type JsonSchema, resolveSchema, type Schemas } from './json-schema.ts'
import { type Member, memberOf, membersOf } from './members.ts'

/** A parameter as the document has it; the header that every route takes is told once, at the top. */
export interface Parameter {
  readonly $ref?: string
  readonly name?: string
  readonly in?: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: JsonSchema
}

interface Response {
  readonly description: string
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>
}

/** A route as the page shows it. */
export interface Operation {
  readonly operationId: string
  readonly method: string
  readonly path: string
  readonly verb: Verb
  readonly summary: string
  readonly description: string
  readonly parameters: readonly Parameter[]
  readonly requestBody?: {
    readonly required: boolean
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>
  }
  readonly responses: Readonly<Record<string, Response>>
}

export function operationSection(operation: Operation, schemas: Schemas): Html {
  const { operationId, method, path, summary } = operation
  return html`<article id="${operationId}">
<h3><a href="#${operationId}">${summary}</a></h3>
<p class="route"><span class="method ${method.toLowerCase()}">${method}</span> <code>${breakable(path)}</code></p>
<p class="verb">Verb <code>${operation.verb}</code></p>
<p>${prose(operation.description)}</p>
${parametersPart(operation, schemas)}${bodyPart(operation, schemas)}
<h4>Example</h4>
${codeBlock(curlOf(operation, schemas))}${answerPart(operation, schemas)}${problemsPart(operation)}
</article>
`
}

function parametersPart({ parameters }: Operation, schemas: Schemas): Html {
  const own = parameters.filter(({ name }) => name !== undefined)
  if (own.length === 0) return html``
  const members = own.map(({ name = '', schema = {}, required, description }) =>
    memberOf(name, description === undefined ? schema : { ...schema, description }, {
      schemas,
      required: required === true,
    }),
  )
  const places = new Map(own.map((parameter) => [parameter.name ?? '', parameter.in ?? '']))
  return html`<h4>Parameters</h4>\n${membersTable(members, (name) => `in the ${places.get(name) ?? 'query'}`)}`
}

function bodyPart(operation: Operation, schemas: Schemas): Html {
  const schema = bodySchemaOf(operation)
  if (schema === undefined) return html``
  const optional = operation.requestBody?.required === false ? ' (may be left out)' : ''
  return html`<h4>Body${optional}</h4>\n${membersTable(membersOf(schema, schemas))}`
}

function answerPart(operation: Operation, schemas: Schemas): Html {
  const { responses } = operation
  const [status = '', response] = Object.entries(responses)[0] ?? []
  const schema = response?.content?.['application/json']?.schema
  if (response === undefined) return html``
  const head = html`<h4>Answer <span class="status">${status}</span></h4>\n<p>${prose(response.description)}</p>\n`
  if (schema === undefined) return head
  const answers = exampleAnswers(operation, schema, schemas)
  const shapes = resolveSchema(schema, schemas).anyOf ?? [schema]
  return html`${head}${answers.map((answer) => codeBlock(JSON.stringify(answer, null, 2)))}
${shapes.map(
  (
    shape,
  ) => html`<details><summary>${shape.$ref === undefined ? 'Members' : `Members: ${nameOf(shape)}`}</summary>
${membersTable(membersOf(shape, schemas))}
</details>
`,
)}`
}

function nameOf({ $ref = '' }: JsonSchema): string {
  return $ref.slice($ref.lastIndexOf('/') + 1)
}

/** A block that scrolls by itself, with the keyboard too. */
function codeBlock(code: string): Html {
  return html`<pre tabindex="0"><code>${code}</code></pre>\n`
}

/** The codes stand in the descriptions of the responses, each with its meaning. */
function problemsPart({ responses }: Operation): Html {
  const problems = Object.entries(responses)
    .slice(1)
    .flatMap(([status, { description }]) =>
      [...description.matchAll(/`(\w+)`/g)].map(([, code = '']) => ({ status, code })),
    )
  const links = problems.map(
    ({ status, code }) => html`<li><a href="#problem-${code}"><code>${code}</code></a> ${status}</li> `,
  )
  return html`<h4>Problems</h4>\n<ul class="problems">${links}</ul>`
}

function membersTable(members: readonly Member[], placeOf?: (name: string) => string): Html {
  const rows = members.map((member) => {
    const place = placeOf === undefined ? [] : [placeOf(member.name)]
    const notes = [...place, ...member.limits].join(', ')
    return html`<tr>
<th scope="row"><code>${breakable(member.name)}</code>${member.required ? html` <span class="required">required</span>` : html``}</th>
<td><span class="type">${member.type}</span>${notes === '' ? html`` : html`<span class="limits">, ${notes}</span>`}${member.description === '' ? html`` : html`<br>${prose(member.description)}`}</td>
</tr>
`
  })
  return html`<table class="members"><tbody>${rows}</tbody></table>\n`
}

function curlOf(operation: Operation, schemas: Schemas): string {
  const { operationId, method, path } = operation
  const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    name === 'id' ? exampleId(path) : (PATH_SAMPLES[name] ?? `<${name}>`),
  )
  const body = exampleBody(operationId, bodySchemaOf(operation), schemas)
  const hasBody = body !== undefined && JSON.stringify(body) !== '{}'
  const isImplied = method === 'GET' || (method === 'POST' && hasBody)
  return [
    `${isImplied ? 'curl' : `curl -X ${method}`} "$CLAVIGER_URL${address}"`,
    '-H "Authorization: Bearer $CLAVIGER_KEY"',
    ...(hasBody ? ["-H 'Content-Type: application/json'", `-d '${bodyText(body)}'`] : []),
  ].join(' \\\n  ')
}

/** On one line where that is short. */
function bodyText(body: unknown): string {
  const line = JSON.stringify(body)
  return line.length <= MAX_LINE ? line : JSON.stringify(body, null, 2).replaceAll('\n', '\n  ')
}

const MAX_LINE = 60

const PATH_SAMPLES: Readonly<Record<string, string>> = {
  name: 'reader',
  subject: 'customer-42',
  audience: 'https%3A%2F%2Fapi.example.com',
}

function bodySchemaOf({ requestBody }: Operation): JsonSchema | undefined {
  return requestBody?.content['application/json']?.schema
}
