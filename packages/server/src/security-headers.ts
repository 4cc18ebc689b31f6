import helmet from '@fastify/helmet'
import type { FastifyInstance } from 'fastify'

/**
 * For answers that are data: nothing of them may run, be framed, be guessed to be something else, or be kept.
 * They are few and fixed, because every verification carries them.
 */
export const DATA_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
} as const

/** For pages: a style of this server, and nothing that runs. */
export async function protectPages(server: FastifyInstance): Promise<void> {
  await server.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    xFrameOptions: { action: 'deny' },
  })
}
