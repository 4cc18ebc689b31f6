import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A text of a source file that is another one in this server. It must be there exactly once. */
export interface SourceChange {
  /** The end of the file's path. */
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface ChildOptions {
  readonly changes?: readonly SourceChange[]
  /** A program, with its arguments, that runs the server. */
  readonly under?: readonly string[]
  /** Its clock is its own, and ahead by so much; it starts whatever that clock shows. */
  readonly clockAheadMs?: number
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: the schemas of the answers are checked in routes.test.ts.
  readonly body: any
}

/** A server in a process of its own. */
export interface ChildServer {
  readonly url: string
  /** Of the server itself, also where it runs under another program. */
  readonly pid: number
  /** What it logged. */
  readonly lines: readonly string[]
  /** As root. Rejects when no whole answer came: then nothing was acknowledged, and nothing refused. */
  call(method: string, path: string, body?: unknown): Promise<Answer>
  /** `ok`, or the code of the refusal. */
  verdict(credential: string): Promise<string>
  /** Sets its clock, if that is its own, to be ahead by so much. */
  setClock(aheadMs: number): void
  /** SIGKILL: it gets to do nothing any more. */
  kill(): Promise<void>
  /** Lets it close. */
  stop(): Promise<void>
}

/** Starts the process, without waiting for it to serve. */
export function spawnServer(folder: string, options: ChildOptions = {}): ChildProcess {
  const { changes = [], under = [], clockAheadMs } = options
  const serve = new URL('./serve.ts', import.meta.url).pathname
  const [program = '', ...args] = [...under, process.execPath, serve, folder]
  if (clockAheadMs === undefined)
    return spawn(program, args, { stdio: 'pipe', env: environmentWith(changes) })
  const env = environmentWith(changes, ['jumping-clock.ts'])
  return spawn(program, [...args, 'accept-clock'], {
    stdio: 'pipe',
    env: { ...env, FAULT_CLOCK_AHEAD_MS: String(clockAheadMs) },
  })
}

/** The environment of a process whose shipped code is changed, and that loads these of this folder first. */
export function environmentWith(
  changes: readonly SourceChange[],
  preloaded: readonly string[] = [],
): NodeJS.ProcessEnv {
  const files = changes.length === 0 ? preloaded : [...preloaded, 'change-source.ts']
  return {
    PATH: process.env.PATH,
    ...(files.length === 0
      ? {}
      : { NODE_OPTIONS: files.map((file) => `--import=${new URL(file, import.meta.url).href}`).join(' ') }),
    ...(changes.length === 0 ? {} : { FAULT_SOURCE_CHANGES: JSON.stringify(changes) }),
  }
}

export async function startServer(folder: string, options: ChildOptions = {}): Promise<ChildServer> {
  const child = spawnServer(folder, options)
  const exited = once(child, 'exit')
  const lines: string[] = []
  const serving = new Promise<readonly [string, number]>((resolve, reject) => {
    const read = (line: string): void => {
      const [, url, pid] = /^serving (\S+) (\d+)$/.exec(line) ?? []
      if (url === undefined) lines.push(line)
      else resolve([url, Number(pid)])
    }
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface(stream).on('line', read)
    }
    child.once('error', reject)
    child.once('close', () => reject(new Error(`The server ended before it served:\n${lines.join('\n')}`)))
  })
  const [url, pid] = await serving
  const rootKey = readFileSync(join(folder, 'root-key'), 'utf8').trim()

  async function call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isLines = response.headers.get('content-type')?.includes('ndjson') === true
    return { status: response.status, body: text === '' ? null : isLines ? text : JSON.parse(text) }
  }

  return {
    url,
    pid,
    lines,
    call,
    async verdict(credential) {
      const { status, body } = await call('POST', '/v1/verify', { credential })
      if (typeof body.ok !== 'boolean') throw new Error(`${status} is no verdict: ${body.code}`)
      return body.ok ? 'ok' : body.code
    },
    setClock(aheadMs) {
      child.stdin?.write(`${aheadMs}\n`)
    },
    async kill() {
      if (child.exitCode === null && child.signalCode === null) process.kill(pid, 'SIGKILL')
      await exited
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) process.kill(pid, 'SIGTERM')
      await exited
    },
  }
}
