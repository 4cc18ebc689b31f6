import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

export const MAIN = join(import.meta.dirname, '../bin/claviger.js')

export interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
}

/** A folder to run commands in, and the server that was started there. */
export interface Place {
  readonly folder: string
  readonly url: string
  readonly server: ChildProcess
  /** What the server has written to its log and to standard error, once it has ended. */
  readonly ended: Promise<Ended>
  run(args: readonly string[], options?: RunOptions): Promise<Ended>
  /** Runs a command that must end well, and answers what `--json` prints. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads members of an answer that it then compares.
  json(args: readonly string[], options?: RunOptions): Promise<any>
  remove(): Promise<void>
}

/** Runs the command as a process of its own, with nothing of this one's environment but the path. */
export async function runIn(
  folder: string,
  args: readonly string[],
  { input = '', environment = {} }: RunOptions = {},
): Promise<Ended> {
  const child = spawnIn(folder, args, environment)
  child.stdin.end(input)
  return endOf(child)
}

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'claviger-cli-'))
}

/** Starts a server on a free port, as a user would, and waits until it says where it listens. */
export async function startServer(folder: string = makeFolder()): Promise<Place> {
  const server = spawnIn(folder, ['start', '--port', '0'], {})
  const ended = endOf(server)
  const url = await Promise.race([
    addressFrom(server),
    ended.then(({ stderr }) => Promise.reject(new Error(stderr))),
  ])
  const run = (args: readonly string[], { input, environment }: RunOptions = {}): Promise<Ended> =>
    runIn(folder, args, { input, environment: { CLAVIGER_URL: url, ...environment } })
  return {
    folder,
    url,
    server,
    ended,
    run,
    async json(args, options) {
      const { exitCode, stdout, stderr } = await run([...args, '--json'], options)
      if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${stderr}`)
      return JSON.parse(stdout)
    },
    async remove() {
      server.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function spawnIn(folder: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  return spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...environment },
    stdio: 'pipe',
  })
}

async function endOf(child: ReturnType<typeof spawnIn>): Promise<Ended> {
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { exitCode, stdout, stderr }
}

function addressFrom(server: ReturnType<typeof spawnIn>): Promise<string> {
  return new Promise((resolve) => {
    let seen = ''
    server.stderr.on('data', (chunk) => {
      seen += chunk
      const url = /^Claviger listens on (\S+)\n/m.exec(seen)?.[1]
      if (url !== undefined) resolve(url)
    })
  })
}
