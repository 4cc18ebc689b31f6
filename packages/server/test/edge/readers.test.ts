import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ChildServer, startServer } from '../faults/child-server.ts'
import { type GroupState, ReaderProcess } from './reader-process.ts'

/** Of each group, in each of two processes. */
const GROUPS = { kept: 490, revoked: 400, 'revoked too': 90, elsewhere: 20 } as const
type GroupName = keyof typeof GROUPS
const PROCESSES = 2
/** Of one process: those that read to the end, and those that read nothing. */
const WATCHING = 50
const IDLE = 3
const MANY = { timeout: 10_000, interval: 20 }

let folder: string
let server: ChildServer
let processes: readonly ReaderProcess[]
const keys = new Map<GroupName, { readonly id: string; readonly credential: string }>()

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'claviger-readers-'))
  server = await startServer(folder)
  await server.call('POST', '/v1/projects', { name: 'elsewhere' })
  for (const name of Object.keys(GROUPS) as GroupName[]) {
    const project = name === 'elsewhere' ? name : 'default'
    const { body } = await server.call('POST', '/v1/management-keys', { name, project, preset: 'edge' })
    keys.set(name, body)
  }
  processes = [new ReaderProcess(), new ReaderProcess()]
})
afterAll(async () => {
  await Promise.all(processes.map((readers) => readers.close()))
  await server.stop()
  rmSync(folder, { recursive: true })
})

function keyOf(name: GroupName): { readonly id: string; readonly credential: string } {
  const key = keys.get(name)
  if (key === undefined) throw new TypeError(`There is no key ${name}.`)
  return key
}

function portNumber(): number {
  return Number(new URL(server.url).port)
}

function statesOf(group: string): Promise<readonly GroupState[]> {
  return Promise.all(processes.map((readers) => readers.tell({ group, asks: true })))
}

async function sumOf(group: string, count: (state: GroupState) => number): Promise<number> {
  return (await statesOf(group)).reduce((sum, state) => sum + count(state), 0)
}

/** The feed's head as somebody with the key sees it. */
async function headFor(credential: string): Promise<string> {
  const answer = await fetch(`${server.url}/v1/changes?after=1-aaaaaaaa:0`, {
    headers: { authorization: `Bearer ${credential}` },
  })
  const { head } = (await answer.json()) as { head: string }
  return head
}

/** What a stream begins with that a key reads from now on. */
async function openingWith(name: GroupName): Promise<{ port: number; key: string; after: string }> {
  const { credential } = keyOf(name)
  return { port: portNumber(), key: credential, after: await headFor(credential) }
}

async function openAll(name: GroupName): Promise<void> {
  const opening = await openingWith(name)
  for (const readers of processes) {
    await readers.tell({ group: name, count: GROUPS[name], reads: true, ...opening })
  }
  await expect.poll(() => sumOf(name, ({ greeted }) => greeted), MANY).toBe(PROCESSES * GROUPS[name])
}

/** When the last reader of these groups had the change. */
async function lastAtNs(names: readonly GroupName[], position: string): Promise<bigint> {
  const times: bigint[] = []
  for (const name of names) {
    const seenBy = () => sumOf(name, ({ seen }) => seen[position]?.streams ?? 0)
    await expect.poll(seenBy, MANY).toBe(PROCESSES * GROUPS[name])
    for (const { seen } of await statesOf(name)) times.push(BigInt(seen[position]?.lastAtNs ?? 0))
  }
  return times.reduce((last, time) => (time > last ? time : last), 0n)
}

function serverMiB(): number {
  const [, kib = ''] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

/** How many of the readers' connections the server has open: who does not read is not told that it was cut. */
function connectionsTo(ports: readonly number[]): number {
  const portOf = (address = ''): number => Number.parseInt(address.split(':')[1] ?? '', 16)
  const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1)
  const open = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => portOf(local) === portNumber() && state === '01')
  return open.filter(([, , remote]) => ports.includes(portOf(remote))).length
}

const DEFAULT_GROUPS = ['kept', 'revoked', 'revoked too'] as const

test('F3: two thousand readers of one server have a revocation, and those of another project see nothing', async () => {
  const [before, beganAt] = [serverMiB(), performance.now()]
  for (const name of Object.keys(GROUPS) as GroupName[]) await openAll(name)
  const readers = PROCESSES * Object.values(GROUPS).reduce((sum, count) => sum + count, 0)
  expect(readers).toBe(2_000)
  console.log(
    `${readers} readers in ${Math.round(performance.now() - beganAt)} ms, ` +
      `${(((serverMiB() - before) * 1024) / readers).toFixed(1)} KiB each`,
  )

  const { body: key } = await server.call('POST', '/v1/keys', { name: 'many know it' })
  const sentAtNs = process.hrtime.bigint()
  const { body: receipt } = await server.call('POST', `/v1/keys/${key.id}/revoke`, {})
  const lastNs = await lastAtNs(DEFAULT_GROUPS, receipt.position)
  console.log(`the last of them had a revocation after ${(Number(lastNs - sentAtNs) / 1e6).toFixed(1)} ms`)
  expect(await sumOf('elsewhere', ({ seen }) => Object.keys(seen).length)).toBe(0)
}, 60_000)

test('F3: two keys that are revoked in one moment end the streams of both, and no others', async () => {
  const beganAt = performance.now()
  await Promise.all(
    (['revoked', 'revoked too'] as const).map((name) =>
      server.call('POST', `/v1/management-keys/${keyOf(name).id}/revoke`, {}),
    ),
  )
  for (const name of ['revoked', 'revoked too'] as const) {
    const ended = () => sumOf(name, ({ closed }) => closed)
    await expect.poll(ended, { timeout: 5_000, interval: 20 }).toBe(PROCESSES * GROUPS[name])
    for (const { ends } of await statesOf(name)) {
      expect(ends).toEqual(Array(GROUPS[name]).fill('{"code":"revoked"}'))
    }
  }
  const streams = PROCESSES * (GROUPS.revoked + GROUPS['revoked too'])
  console.log(`${streams} streams ended in ${Math.round(performance.now() - beganAt)} ms`)
  for (const name of ['kept', 'elsewhere'] as const) {
    expect(await sumOf(name, ({ closed }) => closed)).toBe(0)
  }
})

test('F3: readers that do not read are cut, and hold up neither the memory nor the others', async () => {
  const [readers] = processes
  if (readers === undefined) throw new TypeError('There are no readers.')
  // Each of those that read is sent every byte, so some are enough.
  for (const process of processes) await process.tell({ group: 'kept', closes: true })
  await expect.poll(() => sumOf('kept', ({ closed }) => closed), MANY).toBe(PROCESSES * GROUPS.kept)
  const opening = await openingWith('kept')
  await readers.tell({ group: 'watching', count: WATCHING, reads: true, ...opening })
  await expect.poll(() => sumOf('watching', ({ greeted }) => greeted), MANY).toBe(WATCHING)
  await readers.tell({ group: 'idle', count: IDLE, reads: false, ...opening })
  const idle = async () => (await readers.tell({ group: 'idle', asks: true })).ports
  await expect.poll(async () => connectionsTo(await idle()), MANY).toBe(IDLE)
  const ports = await idle()
  const permissions = Array.from({ length: 200 }, (_, i) => `${'x'.repeat(90)}${i}:read`)
  let made = 0
  const before = serverMiB()
  let most = before
  while (connectionsTo(ports) > 0 && made < 2_000) {
    await server.call('PUT', `/v1/roles/filler-${made++ % 50}`, {
      permissions: [...permissions, `a:${made}`],
    })
    most = Math.max(most, serverMiB())
  }
  console.log(`cut after ${made} changes of 20 kB, with ${(most - before).toFixed(0)} MiB more at most`)
  expect(connectionsTo(ports)).toBe(0)
  const head = await headFor(opening.key)
  await expect.poll(() => sumOf('watching', ({ seen }) => seen[head]?.streams ?? 0), MANY).toBe(WATCHING)
  expect(await sumOf('watching', ({ closed }) => closed)).toBe(0)
}, 60_000)
