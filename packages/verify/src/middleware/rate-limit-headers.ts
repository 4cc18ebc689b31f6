import type { LimitFigure } from '../limits/limit-keeper.ts'

/**
 * `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): each limit's size, what is left, and the
 * seconds until it is full again. The two holders' limits may have the same name, so that each is named with its holder.
 */
export function rateLimitHeaders(figures: readonly LimitFigure[] | undefined): Record<string, string> {
  if (figures === undefined || figures.length === 0) return {}
  const names = figures.map(({ of, name }) => quote(`${of}:${name}`))
  return {
    'ratelimit-policy': figures.map(({ limit }, index) => `${names[index]};q=${limit}`).join(', '),
    ratelimit: figures
      .map(({ remaining, resetSeconds }, index) => {
        const reset = resetSeconds === null ? '' : `;t=${Math.ceil(resetSeconds)}`
        return `${names[index]};r=${Math.max(0, Math.floor(remaining))}${reset}`
      })
      .join(', '),
  }
}

/** A structured field's string (RFC 9651, section 3.3.3). */
function quote(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')}"`
}
