import { ERROR_CODES } from '@claviger/engine'

/** The reference page of all problems, from the table that they are answered from. */
export function problemsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { status, title, retryable }]) =>
      `| \`${code}\` | ${status} | ${title} | ${retryable ? 'yes' : 'no'} |`,
  )
  return [
    '# Problems',
    '',
    'Every error of the HTTP API is a problem (RFC 9457) with one of these codes. This page is generated from the table',
    'in `packages/engine/src/coded-error.ts`.',
    '',
    '| code | status | meaning | the same request may succeed later |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}
