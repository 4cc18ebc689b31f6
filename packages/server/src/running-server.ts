import { lookup } from 'node:dns/promises'
import { isIPv6 } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { type ApplicationParts, buildApplication } from './application.ts'
import type { Configuration } from './configuration.ts'
import type { ClavigerServer } from './create-server.ts'
import { HttpDurations } from './metrics/http-durations.ts'
import { MetricsListener } from './metrics/metrics-listener.ts'
import { NodeMetrics } from './metrics/node-metrics.ts'
import { ServerCertificate } from './server-certificate.ts'
import { closeGracefully, OpenConnections } from './shutdown.ts'

/** The address that a server with these settings listens on. A name stays a name: certificates are made out to it. */
export function addressOf({ host, port, tlsCert }: Configuration): string {
  const scheme = tlsCert === undefined ? 'http' : 'https'
  return `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}`
}

/** Binds an open engine to its HTTP side, from the first request to the last. */
export async function runServer(
  parts: Omit<ApplicationParts, 'isOpen' | 'certificate' | 'durations' | 'metrics'>,
): Promise<ClavigerServer> {
  const { engine, configuration, limits, log } = parts
  const { tlsCert, tlsKey } = configuration
  const certificate =
    tlsCert === undefined || tlsKey === undefined ? null : new ServerCertificate({ tlsCert, tlsKey, log })
  let url: string | undefined
  let isOpen = false
  let closing: Promise<void> | undefined
  const durations = new HttpDurations()
  const metrics = new NodeMetrics(engine, durations)
  const own = { certificate, durations, metrics, isOpen: () => isOpen }
  const application = await buildApplication({ ...parts, ...own })
  const connections = new OpenConnections(application.server)
  const { metricsHost, metricsPort } = configuration
  const metricsListener =
    metricsPort === undefined
      ? null
      : new MetricsListener({ host: metricsHost, port: metricsPort, metrics, log })

  return {
    createdRootKey: engine.createdRootKey,
    get url() {
      if (url === undefined) throw new TypeError('the server does not listen yet')
      return url
    },
    async listen() {
      const { address } = await lookup(configuration.host)
      await application.listen({ host: address, port: configuration.port })
      const listening = addressOf({ ...configuration, port: portOf(application) })
      // Only with the port that was found free is the issuer known; nothing is answered with another one before.
      if (configuration.publicUrl === undefined) await engine.setPublicUrl(listening)
      const openedPort = await metricsListener?.listen()
      if (openedPort !== undefined) log.info({ host: metricsHost, port: openedPort }, 'metrics are served')
      certificate?.watch()
      isOpen = true
      url = listening
      return listening
    },
    reloadCertificate() {
      certificate?.reload()
    },
    close() {
      certificate?.unwatch()
      closing ??= Promise.all([
        closeGracefully(application, connections, limits.closeGraceMs),
        metricsListener?.close(),
      ])
        .then(() => undefined)
        .finally(() => engine.close())
      return closing
    },
  }
}

function portOf(application: FastifyInstance): number {
  const address = application.server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server listens on no port')
  return address.port
}
