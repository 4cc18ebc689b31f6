import { Buffer } from 'node:buffer'
import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine, type Engine } from '@claviger/engine'
import type { Contender } from './interleave.ts'
import { AUDIENCE } from './project.ts'
import type { Row } from './row.ts'
import { type ClavigerProcess, startClaviger } from './server-process.ts'

const PASS_SIZE = 1_000
/** As many as a busy server has under way, so that every thread of the pool always has a next one. */
const IN_FLIGHT = 64
const LIMIT = 'crypto.sign alone, on all cores'
const EMBEDDED = 'Claviger, embedded'
const BY_KEY = 'Claviger, for a management key'
const OVER_HTTP = 'Claviger, over HTTP'

/** What a login service asks for: two roles, of which the key must be able to hand out what they confer. */
const INPUT = {
  subject: 'user_1',
  audience: AUDIENCE,
  roles: ['reader', 'billing-team'],
  permissions: ['documents:write'],
  claims: { tenant: 't17' },
}

export async function mint(): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'))
  const engine = await createEngine({ database: `sqlite:${join(folder, 'claviger.db')}` })
  const server = await startClaviger(join(folder, 'server'))
  const project = engine.project('default')
  const managed = await byManagementKey(engine)
  await prepare(project.roles)
  await prepare({ put: (name, role) => server.call('PUT', `/v1/roles/${name}`, role) })
  return {
    title: 'Token, minted, RS256 (2048 bits)',
    measures:
      `1,000 tokens a round, ${IN_FLIGHT} under way at a time, by processor time (of the server’s process alone, over HTTP), ` +
      'so that the limit is all cores signing and nothing else. Ours: reading the caller’s rights, roles and signing key, ' +
      'the grants, the claims, and the signature; over HTTP also the management key’s verification and the log line.',
    rounds: {
      contenders: [
        { ...limit(), processorSeconds },
        { ...minting(EMBEDDED, async () => (await project.tokens.mint(INPUT)).credential), processorSeconds },
        { ...minting(BY_KEY, async () => (await managed.tokens.mint(INPUT)).credential), processorSeconds },
        { ...minting(OVER_HTTP, () => mintOver(server)), processorSeconds: server.processorSeconds },
      ],
      warmUp: 15,
      counted: 15,
      passSize: PASS_SIZE,
    },
    reference: LIMIT,
    aims: [EMBEDDED, BY_KEY, OVER_HTTP].map((contender) => ({ contender, against: LIMIT, atLeast: 0.85 })),
    async close() {
      await server.close()
      await engine.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function mintOver(server: ClavigerProcess): Promise<string> {
  return JSON.parse(await server.call('POST', '/v1/tokens', INPUT)).credential
}

function processorSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

async function prepare(roles: { put(name: string, role: object): Promise<unknown> }): Promise<void> {
  await roles.put('reader', { permissions: ['documents:read', 'reports:read'] })
  await roles.put('billing-team', { permissions: ['billing:*'] })
}

async function byManagementKey(engine: Engine): Promise<ReturnType<Engine['project']>> {
  const { credential } = await engine
    .project('default')
    .managementKeys.create({ name: 'login', project: 'default', preset: 'backend', grants: ['*:*'] })
  const caller = await engine.authenticate(credential)
  if (!caller.ok) throw new Error(caller.detail)
  return engine.project('default', caller.actor)
}

function limit(): Contender {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const input = Buffer.alloc(600, 'x')
  return minting(
    LIMIT,
    () =>
      new Promise((resolve, reject) => {
        sign('sha256', input, privateKey, (error, signature) =>
          error === null ? resolve(signature) : reject(error),
        )
      }),
  )
}

function minting(name: string, mintOne: () => Promise<{ readonly length: number }>): Contender {
  return {
    name,
    prepare: () => async () => {
      let begun = 0
      let minted = 0
      const work = async (): Promise<void> => {
        while (begun++ < PASS_SIZE) if ((await mintOne()).length > 0) minted++
      }
      await Promise.all(Array.from({ length: IN_FLIGHT }, work))
      return minted
    },
  }
}
