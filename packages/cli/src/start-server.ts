import { join } from 'node:path'
import { type ClavigerServer, collectRequestsYoung, createServer, readConfiguration } from '@claviger/server'
import { CommandFailure, EXIT } from './exit-codes.ts'
import { colors } from './output.ts'

/** Serves until a signal comes. The flags are those of `addSettings`, and `acceptClock`. */
export async function startServer({ acceptClock, ...flags }: Record<string, unknown>): Promise<void> {
  collectRequestsYoung()
  const configuration = readConfiguration({
    flags,
    environment: process.env,
    workingDirectory: process.cwd(),
  })
  const server = await createServer({
    ...configuration,
    masterKey: process.env.CLAVIGER_MASTER_KEY || undefined,
    acceptClock: acceptClock === true,
  })
  const stopped = closeOnSignal(server)
  // Without TLS there is nothing to reload, and a hangup ends the process as any other.
  if (configuration.tlsCert !== undefined) process.on('SIGHUP', () => server.reloadCertificate())
  try {
    await server.listen()
  } catch (error) {
    await server.close()
    throw explainListenError(error, configuration)
  }
  announce(server, configuration.data)
  await stopped
}

/** Resolves once a signal has come and what was in flight is answered; a second signal does not wait for that. */
function closeOnSignal(server: ClavigerServer): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        server.close().then(resolve, reject)
      })
    }
  })
}

/**
 * A terminal gets a banner, anything else one line on standard error, which leaves standard output to the log. The
 * root key's text is shown on a terminal alone, at the start that made it: elsewhere it would stay in some log.
 */
function announce({ url, createdRootKey }: ClavigerServer, data: string): void {
  const listens = `Claviger listens on ${url}`
  if (!process.stdout.isTTY) {
    console.error(listens)
    return
  }
  const lines = [
    colors.bold(listens),
    `  API reference   ${url}/docs`,
    `  data folder     ${data}`,
    `  root key file   ${join(data, 'root-key')}`,
    ...(createdRootKey === null ? [] : [`  root key        ${colors.yellow(createdRootKey.reveal())}`]),
  ]
  console.log(`\n${lines.join('\n')}\n`)
}

function explainListenError(error: unknown, { host, port }: { host: string; port: number }): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const place = `${host}, port ${port},`
  if (code === 'EADDRINUSE') {
    return new CommandFailure(EXIT.refused, `${place} is taken by another program. Choose one with --port.`)
  }
  if (code === 'EACCES')
    return new CommandFailure(EXIT.refused, `${place} may not be listened on by this user.`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new CommandFailure(EXIT.refused, `${place} is no address of this machine.`)
  }
  return error
}
