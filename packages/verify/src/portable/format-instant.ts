/** In place of the one that keeps what it wrote last: a date is formatted once for a credential, unless facts change. */
export function formatInstant(ms: number): string {
  return new Date(ms).toISOString()
}
