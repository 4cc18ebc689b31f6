/** Markup. Whatever text goes into it was escaped on its way. */
export class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Builds markup: what is put in is escaped, unless it is markup itself; lists are joined. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html {
  return new Html(parts.map((part, index) => part + insert(values[index] ?? '')).join(''))
}

/** A sentence of the API document, in which code stands between backticks. */
export function prose(text: string): Html {
  const parts = text
    .split('`')
    .map((part, index) => (index % 2 === 0 ? escapeText(part) : `<code>${escapeText(part)}</code>`))
  return new Html(parts.join(''))
}

/** A path or a name that may break after the signs which part it, for narrow screens. */
export function breakable(text: string): Html {
  return new Html(escapeText(text).replaceAll(/([/._:-])(?=[\w{[])/g, '$1<wbr>'))
}

function insert(value: string | Html | readonly Html[]): string {
  if (value instanceof Html) return value.text
  return typeof value === 'string' ? escapeText(value) : value.map(insert).join('')
}

function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
