import { mkdirSync } from 'node:fs'
import { type Clock, createEngine, type Random, type Secret } from '@claviger/engine'
import pino from 'pino'
import { type Configuration, completeConfiguration } from './configuration.ts'
import { HTTP_LIMITS, type HttpLimits } from './http-limits.ts'
import { createLog, type LogTarget } from './log.ts'
import { checkListenAddress } from './plain-http-rule.ts'
import { writeRootKeyFile } from './root-key-file.ts'
import { addressOf, runServer } from './running-server.ts'

/** The settings of `readConfiguration`, or some of them, and what only a program can give. */
export interface ServerOptions extends Partial<Configuration> {
  /** 32 bytes, base64url. Default: the file `master-key` in the data folder, made at the first start. */
  readonly masterKey?: string
  /** Starts in spite of a clock more than 60 s behind the last commit; audited (rule B2). */
  readonly acceptClock?: boolean
  /** Where log lines go. Default: standard output. */
  readonly logTo?: LogTarget
  readonly limits?: Partial<HttpLimits>
  /** Tests own time and randomness. */
  readonly clock?: Clock
  readonly random?: Random
}

export interface ClavigerServer {
  /** The address listened on, such as `http://127.0.0.1:2528`. A TypeError before {@link listen} has resolved. */
  readonly url: string
  /** The root key's text, at the start that made the installation; it stands in the file `root-key` too. */
  readonly createdRootKey: Secret | null
  /** Resolves once requests are answered, with the address. */
  listen(): Promise<string>
  /**
   * Reads the certificate and its key anew, as happens by itself when their files change. A pair that does not serve is
   * written to the log, and the one before stays. Without TLS it does nothing.
   */
  reloadCertificate(): void
  /** Answers what is in flight, then closes the engine. Calling it again awaits the same. */
  close(): Promise<void>
}

/**
 * Opens the data folder and puts the server together; it listens when it is told to. Throws `CodedError` for settings
 * that are not valid, plain HTTP beyond loopback among them, and for a data folder that cannot be opened.
 */
export async function createServer(options: ServerOptions = {}): Promise<ClavigerServer> {
  const { masterKey, acceptClock, logTo, limits, clock, random, ...settings } = options
  const configuration = completeConfiguration(settings, process.cwd())
  await checkListenAddress(configuration)
  const log = createLog(configuration.logLevel, logTo ?? pino.destination({ dest: 1, sync: false }))

  // The folder of the root key; the engine makes the database's.
  mkdirSync(configuration.data, { recursive: true, mode: 0o700 })
  const publicUrl =
    configuration.publicUrl ?? (configuration.port === 0 ? undefined : addressOf(configuration))
  const engine = await createEngine({
    database: configuration.database,
    usageDays: configuration.usageDays,
    log: ({ message, ...problem }) => log.error(problem, message),
    onAuditCheckpoint: (checkpoint) => log.info({ checkpoint }, 'audit checkpoint'),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(masterKey === undefined ? {} : { masterKey }),
    ...(acceptClock === undefined ? {} : { acceptClock }),
    ...(clock === undefined ? {} : { clock }),
    ...(random === undefined ? {} : { random }),
  })
  try {
    if (engine.createdRootKey !== null) writeRootKeyFile(configuration.data, engine.createdRootKey)
    return await runServer({ engine, configuration, log, limits: { ...HTTP_LIMITS, ...limits } })
  } catch (error) {
    await engine.close()
    throw error
  }
}
