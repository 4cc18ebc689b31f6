import Type, { type Static } from 'typebox'

export const SizeWarning = Type.Object({
  code: Type.Enum(['near_4_kib_limit', 'near_8_kib_limit', 'over_header_line_limit'], {
    description: 'Which of the usual limits on headers the token comes near.',
  }),
  detail: Type.String({ description: 'What may refuse the token, and what to do.' }),
})
export type SizeWarning = Static<typeof SizeWarning>

/** What a request has in its other headers beside the token: a browser's come to about this much. */
const OTHER_HEADERS_BYTES = 1024
/** `Authorization: Bearer `, and the end of the line. */
const AROUND_TOKEN_BYTES = 24
/** nginx: 8192 for a line with its end; Apache and Gunicorn: 8190 without. */
const HEADER_LINE_BYTES = 8192

const NEAR_4_KIB = 4096 - OTHER_HEADERS_BYTES
const NEAR_8_KIB = 8192 - 2 * OTHER_HEADERS_BYTES
const OVER_LINE = HEADER_LINE_BYTES - AROUND_TOKEN_BYTES

const REMEDY = 'Give the token fewer claims, or roles in place of permissions, or raise that limit.'

/**
 * What may refuse a token for its length before a verifier sees it, by the defaults of proxies and servers (decision
 * 0014 has the list). Only the gravest is told; undefined for nearly all tokens, which costs one comparison.
 */
export function sizeWarnings(bytes: number): SizeWarning[] | undefined {
  if (bytes <= NEAR_4_KIB) return undefined
  if (bytes <= NEAR_8_KIB) {
    return [
      {
        code: 'near_4_kib_limit',
        detail: `The token is ${bytes} bytes long. uWSGI takes 4096 bytes of headers in all by default, and browsers no larger cookie. ${REMEDY}`,
      },
    ]
  }
  if (bytes <= OVER_LINE) {
    return [
      {
        code: 'near_8_kib_limit',
        detail: `The token is ${bytes} bytes long. Tomcat and Jetty take 8192 bytes of headers in all by default: other headers may leave too little room. ${REMEDY}`,
      },
    ]
  }
  return [
    {
      code: 'over_header_line_limit',
      detail: `The token is ${bytes} bytes long. With it the Authorization header is longer than nginx, Apache and Gunicorn take by default (8190 bytes). ${REMEDY}`,
    },
  ]
}
