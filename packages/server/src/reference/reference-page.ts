import { ERROR_CODES } from '@claviger/engine'
import { openApiDocument } from '../openapi/document.ts'
import type { Route } from '../routes/route.ts'
import { breakable, type Html, html, prose } from './html.ts'
import type { Schemas } from './json-schema.ts'
import { type Operation, operationSection } from './operation-section.ts'

/** What the page reads of the document. */
interface ApiDocument {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, Omit<Operation, 'method' | 'path' | 'verb'>>>>
  >
  readonly components: { readonly schemas: Schemas }
}

/**
 * The API reference as one page of HTML, made from the OpenAPI document: by noun, and for each route all that a caller
 * needs. It has no script, and its style is a file of this server (`/docs/reference.css`).
 */
export function referencePage(routes: readonly Route[], version: string): string {
  const document = openApiDocument(routes, version) as unknown as ApiDocument
  const nouns = Map.groupBy(routes, ({ tag }) => tag)
  const sections = [...nouns].map(
    ([tag, list]) => html`<section id="${anchorOf(tag)}">
<h2><a href="#${anchorOf(tag)}">${tag}</a></h2>
${list.map((route) => operationSection(operationOf(document, route), document.components.schemas))}</section>
`,
  )
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Claviger API reference</title>
<link rel="stylesheet" href="/docs/reference.css">
</head>
<body>
<nav aria-label="Contents"><details open><summary>Contents</summary>
<ul><li><a href="#start">How to call</a></li>${[...nouns].map(contentsOf)}<li><a href="#problems">Problems</a></li></ul>
</details></nav>
<main>
${introduction(version)}
${sections}
${problems()}
</main>
</body>
</html>
`
  return page.text
}

function operationOf(document: ApiDocument, { path, method, verb, description }: Route): Operation {
  const operation = document.paths[path]?.[method.toLowerCase()]
  if (operation === undefined) throw new TypeError(`${method} ${path} is not in the document`)
  return { ...operation, path, method, verb, description }
}

function contentsOf([tag, routes]: readonly [string, readonly Route[]]): Html {
  const items = routes.map(
    ({ operationId, summary }) => html`<li><a href="#${operationId}">${summary}</a></li>`,
  )
  return html`<li><a href="#${anchorOf(tag)}">${tag}</a><ul>${items}</ul></li>`
}

function introduction(version: string): Html {
  return html`<header id="start">
<h1>Claviger API</h1>
<p class="version">Version ${version} · <a href="/docs/openapi.json">OpenAPI document</a></p>
<p>${prose('JSON over HTTP. Send a management key with each request, as `Authorization: Bearer` or `X-Api-Key`. What it may do are its verbs, such as `keys:write`; what it may hand out are its grants.')}</p>
<p>${prose('A root key acts in the project `default` unless the header `Claviger-Project` names another. A key that is bound to a project acts in that one.')}</p>
<p>${prose('A request that changes something may carry the header `Idempotency-Key`, a text of your own. The same request with the same key within 24 hours is not carried out again, and gets the answer of the first time.')}</p>
<p>${prose('Times are RFC 3339, durations have their unit in the name. Lists answer `{"items": […], "nextCursor": …}`: give the cursor back for the next page, until it is null. Members that nobody knows are refused by name.')}</p>
<p>The examples need two variables:</p>
<pre tabindex="0"><code>export CLAVIGER_URL=http://127.0.0.1:2528
export CLAVIGER_KEY=$(cat claviger-data/root-key)</code></pre>
</header>`
}

/** Every problem by its code, from the table that they are answered from. */
function problems(): Html {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { status, title, retryable }]) => html`<tr id="problem-${code}">
<th scope="row"><code>${breakable(code)}</code></th>
<td><span class="status">${String(status)}</span> ${title}.${retryable ? ' The same request may succeed later.' : ''}</td>
</tr>
`,
  )
  return html`<section id="problems">
<h2><a href="#problems">Problems</a></h2>
<p>${prose('Every error is a problem (RFC 9457), of the media type `application/problem+json`. Programs look at its `code`; `detail` says what was wrong this time and what to do.')}</p>
<pre tabindex="0"><code>${JSON.stringify(
    {
      type: 'urn:claviger:problem:not_found',
      title: 'No such thing',
      status: 404,
      detail: 'There is no such key here.',
      code: 'not_found',
    },
    null,
    2,
  )}</code></pre>
<table class="members"><tbody>${rows}</tbody></table>
</section>`
}

function anchorOf(tag: string): string {
  return tag.toLowerCase().replaceAll(/[^a-z]+/g, '-')
}
