import { join } from 'node:path'
import {
  type ClavigerServer,
  CONFIGURATION_NAMES,
  Configuration,
  type ConfigurationName,
  createServer,
  environmentName,
  readConfiguration,
} from '@claviger/server'
import { type Command, Option } from 'commander'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { colors } from '../output.ts'

export function addStart(program: Command): void {
  const command = program.command('start').description('Start the server.')
  for (const name of CONFIGURATION_NAMES) command.addOption(settingOption(name))
  command
    .option('--accept-clock', 'start with a clock far behind the last commit, on purpose; audited')
    .addHelpText(
      'after',
      `
Flags count first, then the environment, then claviger.json in this folder. CLAVIGER_MASTER_KEY, 32 bytes
as base64url, replaces the file master-key of the data folder. Log lines go to standard output, as JSON.

Examples:
  $ claviger start
  $ claviger start --data /var/lib/claviger --host 0.0.0.0 --trust-proxy 10.0.0.0/8 \\
      --public-url https://auth.example.com`,
    )
    .action(start)
}

/** The settings are checked where they are read, so that a flag and a variable are answered alike. */
function settingOption(name: ConfigurationName): Option {
  const schema: object = Configuration.properties[name]
  const flag = `--${environmentName(name).slice('CLAVIGER_'.length).toLowerCase().replaceAll('_', '-')}`
  const takesValue = !('type' in schema && schema.type === 'boolean')
  const description = 'description' in schema ? schema.description : name
  const hasDefault = takesValue && 'default' in schema && !Array.isArray(schema.default)
  const byDefault = hasDefault ? `; default: ${schema.default}` : ''
  return new Option(
    takesValue ? `${flag} <value>` : flag,
    `${description} (${environmentName(name)}${byDefault})`,
  )
}

async function start({ acceptClock, ...flags }: Record<string, unknown>): Promise<void> {
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
