import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type ClavigerClient, ClavigerError, createClient } from '@claviger/client'
import type { Command } from 'commander'
import { CommandFailure, EXIT } from './exit-codes.ts'

const DEFAULT_URL = 'http://127.0.0.1:2528'
const DEFAULT_DATA_FOLDER = 'claviger-data'

/** How a command finds its server, and what it prints. */
export interface ConnectionOptions {
  readonly url?: string
  readonly project?: string
  readonly data?: string
  readonly json?: boolean
}

/** Gives a command the options that every call to a server takes. */
export function addConnectionOptions(command: Command): Command {
  return command
    .option('--url <address>', `where the server is (CLAVIGER_URL; default: ${DEFAULT_URL})`)
    .option('--project <name>', 'the project to act in, for a root key (default: default)')
    .option('--data <folder>', 'the data folder, for its root-key file (CLAVIGER_DATA)')
    .option('--json', "print the API's answer as it is")
}

/** A client for the server that the options and the environment name. Throws `CommandFailure`. */
export function connect(options: ConnectionOptions): ClavigerClient {
  const url = options.url ?? (process.env.CLAVIGER_URL || DEFAULT_URL)
  const key = process.env.CLAVIGER_KEY || readRootKey(url, options)
  try {
    return createClient({ url, key, project: options.project })
  } catch (error) {
    if (error instanceof ClavigerError) throw new CommandFailure(EXIT.usage, error.detail)
    throw error
  }
}

/**
 * The root key of this machine's own installation. It goes to this machine alone, unless the data folder is named: a
 * mistyped address must not be sent the key to everything because a server happens to have been started here.
 */
function readRootKey(url: string, { data }: ConnectionOptions): string {
  const isNamed = data !== undefined || Boolean(process.env.CLAVIGER_DATA)
  if (!isNamed && !isLoopback(url)) {
    throw new CommandFailure(
      EXIT.usage,
      `Set CLAVIGER_KEY to a management key of ${url}, or name its data folder with --data.`,
    )
  }
  const folder = data ?? (process.env.CLAVIGER_DATA || DEFAULT_DATA_FOLDER)
  const file = resolve(folder, 'root-key')
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    throw new CommandFailure(
      EXIT.usage,
      `There is no management key: CLAVIGER_KEY is not set, and ${file} cannot be read.`,
    )
  }
}

function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? ''
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(host)
}
