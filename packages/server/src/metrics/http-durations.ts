import { Distribution } from '@claviger/engine'
import type { FastifyInstance } from 'fastify'

const BOUNDS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** The answers of one status that one route gave. */
export interface AnswersOfRoute {
  /** As in OpenAPI, or null: the address led nowhere. Never what a caller wrote. */
  readonly route: string | null
  readonly method: string | null
  readonly status: number
  readonly seconds: Distribution
}

export type CountAnswer = (status: number, seconds: number) => void

/**
 * How long answers took, by route and status. Each route counts by a hook of its own, so that nothing is looked up while
 * a request is answered: it costs half a microsecond.
 */
export class HttpDurations {
  readonly #answers: AnswersOfRoute[] = []
  readonly #counters = new Map<string, CountAnswer>()

  /** Watches every route that is added from now on, and what leads to none. */
  watch(server: FastifyInstance): void {
    server.addHook('onRoute', (options) => {
      const add = this.counterOf(options.url.replaceAll(/:(\w+)/g, '{$1}'), String(options.method))
      const others = options.onResponse === undefined ? [] : [options.onResponse].flat()
      options.onResponse = [
        ...others,
        (_request, reply, done) => {
          add(reply.statusCode, reply.elapsedTime / 1000)
          done()
        },
      ]
    })
    const addLost = this.counterOf(null, null)
    server.addHook('onResponse', (request, reply, done) => {
      if (request.is404) addLost(reply.statusCode, reply.elapsedTime / 1000)
      done()
    })
  }

  list(): readonly AnswersOfRoute[] {
    return this.#answers
  }

  /** Counts the answers of one route, from whichever way its requests come. */
  counterOf(route: string | null, method: string | null): CountAnswer {
    const name = `${method} ${route}`
    const counter = this.#counters.get(name) ?? this.#makeCounter(route, method)
    this.#counters.set(name, counter)
    return counter
  }

  #makeCounter(route: string | null, method: string | null): CountAnswer {
    const byStatus = new Map<number, Distribution>()
    return (status, seconds) => {
      let counts = byStatus.get(status)
      if (counts === undefined) {
        counts = new Distribution(BOUNDS_SECONDS)
        byStatus.set(status, counts)
        this.#answers.push({ route, method, status, seconds: counts })
      }
      counts.add(seconds)
    }
  }
}
