/** A key as a line of an `.env` file, named after it: `ACME_PRODUCTION_KEY=ck_…` for `Acme production`. */
export function environmentLine(name: string, credential: string): string {
  const words = name
    .normalize('NFKD')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter((word) => word !== '')
  if (words.length === 0) words.push('API')
  if (/^[0-9]/.test(words[0] ?? '')) words.unshift('API')
  if (words.at(-1) !== 'KEY') words.push('KEY')
  return `${words.join('_')}=${credential}`
}
