import { createPrivateKey, X509Certificate } from 'node:crypto'
import { type FSWatcher, readFileSync, watch } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer, type Server, type ServerOptions } from 'node:https'
import { dirname } from 'node:path'
import { CodedError } from '@claviger/engine'
import type { Logger } from 'pino'

/** A certificate with its chain and its private key, in PEM. */
interface Pair {
  readonly cert: string
  readonly key: string
}

/** The two files are written one after the other: a pair is looked at once both had the time to come. */
const SETTLE_MS = 500
/** Some file systems tell nobody of a change. */
const POLL_INTERVAL_MS = 60_000

/**
 * The certificate that the server shows, read anew when its files change. Connections live on with the one they began
 * with; those that come get the new one. A pair that does not serve is written to the log, and the one before stays.
 *
 * Folders are watched and not the files: renewers put a new file, or a link to one, in the place of the old.
 */
export class ServerCertificate {
  readonly #files: { readonly tlsCert: string; readonly tlsKey: string }
  readonly #log: Logger
  #pair: Pair
  #server: Server | undefined
  #watchers: FSWatcher[] = []
  #poll: NodeJS.Timeout | undefined
  #settling: NodeJS.Timeout | undefined
  /** A pair that was found not to serve is told once. */
  #refused: Pair | undefined

  /** Throws `invalid_request` for files that are no certificate and its key. */
  constructor({ tlsCert, tlsKey, log }: { tlsCert: string; tlsKey: string; log: Logger }) {
    this.#files = { tlsCert, tlsKey }
    this.#log = log
    this.#pair = this.#read()
    checkPair(this.#pair)
  }

  serve(options: ServerOptions, handler: RequestListener): Server {
    this.#server = createServer({ ...options, ...this.#secureContext() }, handler)
    return this.#server
  }

  watch(): void {
    const folders = new Set([dirname(this.#files.tlsCert), dirname(this.#files.tlsKey)])
    for (const folder of folders) {
      const watcher = watch(folder, { persistent: false }, () => this.#settle())
      // A folder that is taken away is looked at by the poll from then on.
      watcher.on('error', () => watcher.close())
      this.#watchers.push(watcher)
    }
    this.#poll = setInterval(() => this.reload(), POLL_INTERVAL_MS).unref()
  }

  unwatch(): void {
    for (const watcher of this.#watchers) watcher.close()
    clearInterval(this.#poll)
    clearTimeout(this.#settling)
  }

  /** Takes what stands in the files now, if it is another pair and serves. */
  reload(): void {
    try {
      const pair = this.#read()
      if (isSame(pair, this.#pair) || isSame(pair, this.#refused)) return
      this.#refused = pair
      checkPair(pair)
      this.#pair = pair
      this.#server?.setSecureContext(this.#secureContext())
      this.#refused = undefined
      this.#log.info({ validTo: new X509Certificate(pair.cert).validTo }, 'The TLS certificate was renewed.')
    } catch (error) {
      const detail = error instanceof CodedError ? error.message : 'They do not serve.'
      this.#log.error({ detail }, 'The TLS certificate was not renewed; the one before is kept.')
    }
  }

  #settle(): void {
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => this.reload(), SETTLE_MS).unref()
  }

  #read(): Pair {
    return {
      cert: readPem('tls-cert', this.#files.tlsCert),
      key: readPem('tls-key', this.#files.tlsKey),
    }
  }

  #secureContext(): Pair & { readonly minVersion: 'TLSv1.2' } {
    return { ...this.#pair, minVersion: 'TLSv1.2' }
  }
}

function readPem(setting: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new CodedError('invalid_request', `\`${setting}\`: ${file} cannot be read.`)
  }
}

function checkPair({ cert, key }: Pair): void {
  if (fits(cert, key)) return
  throw new CodedError(
    'invalid_request',
    '`tls-cert` and `tls-key` are no certificate and its private key in PEM.',
  )
}

function fits(cert: string, key: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
  } catch {
    return false
  }
}

function isSame(a: Pair, b: Pair | undefined): boolean {
  return b !== undefined && a.cert === b.cert && a.key === b.key
}
