import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ManualClock, manualClock } from '../src/clock.ts'
import { createEngine } from '../src/create-engine.ts'
import type { Engine } from '../src/engine.ts'
import { START_MS } from './installation.ts'

export const AUDIENCE = 'https://api.example.com'

/** A whole engine whose clock the test owns. What it logs fails the test that closes it. */
export interface KeyringPlace {
  readonly clock: ManualClock
  readonly folder: string
  readonly engine: Engine
  /** Lets the time pass, and the engine do what it does each minute. */
  pass(ms: number): Promise<void>
  /** Closes the engine, lets the time pass, and opens it again. */
  restart(ms: number, options?: { readonly acceptClock: boolean }): Promise<void>
  close(): Promise<void>
}

export async function openKeyringPlace(): Promise<KeyringPlace> {
  const clock = manualClock(START_MS)
  const folder = mkdtempSync(join(tmpdir(), 'claviger-test-'))
  const problems: string[] = []

  async function open(acceptClock: boolean): Promise<Engine> {
    const engine = await createEngine({
      database: `sqlite:${folder}/claviger.db`,
      clock,
      acceptClock,
      publicUrl: 'https://auth.example.com',
      log: ({ message, cause }) => problems.push(`${message} ${cause}`),
    })
    await engine.turnKeyrings()
    return engine
  }

  let engine = await open(false)
  return {
    clock,
    folder,
    get engine() {
      return engine
    },
    async pass(ms) {
      clock.advance(ms)
      await engine.turnKeyrings()
    },
    async restart(ms, { acceptClock } = { acceptClock: false }) {
      await engine.close()
      clock.advance(ms)
      engine = await open(acceptClock)
    },
    async close() {
      await engine.close()
      rmSync(folder, { recursive: true, force: true })
      if (problems.length > 0) throw new Error(`problems that nobody expected: ${problems.join('\n')}`)
    },
  }
}

/** A token with the longest life that there is, and the key that signed it. */
export async function mint(
  engine: Engine,
  ttlSeconds = 86_400,
): Promise<{ readonly credential: string; readonly kid: string }> {
  const input = { subject: 'alice', audience: AUDIENCE, ttlSeconds }
  const { credential } = await engine.project('default').tokens.mint(input)
  return { credential, kid: kidOf(credential) }
}

export function kidOf(token: string): string {
  const [header = ''] = token.split('.')
  return JSON.parse(Buffer.from(header, 'base64url').toString()).kid
}

/** `ok`, or the code of the refusal. */
export async function codeOfToken(engine: Engine, credential: string): Promise<string> {
  const require = { audience: AUDIENCE }
  const verdict = await engine.project('default').verify({ credential, require })
  return verdict.ok ? 'ok' : verdict.code
}

export async function statuses(engine: Engine): Promise<readonly string[]> {
  const { items } = await engine.project('default').signingKeys.list()
  return items.map(({ status }) => status).sort()
}

export async function publishedKids(engine: Engine): Promise<readonly (string | undefined)[]> {
  return (await engine.project('default').jwks()).keys.map(({ kid }) => kid)
}
