import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { startEdge } from './edge-process.ts'
import { startClaviger } from './server-process.ts'

const RULES = 1_000_000
const DAY_MS = 86_400_000
const BYTES_A_RULE = 100

/** How long a verifier takes to begin with a million live rules, and what they weigh there. */
export async function edgeRules(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'))
  try {
    const first = await startClaviger(folder)
    const made = await first.call('POST', '/v1/management-keys', {
      name: 'edge',
      project: 'default',
      preset: 'edge',
    })
    await first.call('POST', '/v1/revocations', { tokenId: 'the first' })
    const key = JSON.parse(made).credential
    const empty = await startEdge({ url: first.url, key, count: 1 })
    await empty.close()
    await first.close()
    fill(join(folder, 'claviger.db'))
    const server = await startClaviger(folder)
    const full = await startEdge({ url: server.url, key, count: 1 })
    await full.close()
    await server.close()
    const bytes = (full.bytes - empty.bytes) / RULES
    return [
      '## A million revocation rules',
      `A server with ${RULES.toLocaleString('en')} rules against single tokens; a verifier in another process begins. ` +
        `Aims: ready in under 5 s, under ${BYTES_A_RULE} bytes a rule.`,
      `| ready after | a rule weighs |\n| --- | --- |\n| ${(full.readyMs / 1000).toFixed(1)} s | ${bytes.toFixed(0)} bytes |`,
    ].join('\n\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Copies of the one rule there is, each against another token. */
function fill(file: string): void {
  const db = new DatabaseSync(file)
  const row = db.prepare("select * from revocations where target = 'the first'").get()
  if (row === undefined) throw new Error('There is no rule to make others of.')
  const names = Object.keys(row)
  const insert = db.prepare(
    `insert into revocations (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`,
  )
  db.exec('begin')
  for (let index = 0; index < RULES - 1; index++) {
    const suffix = index.toString(16).padStart(16, '0')
    const copy = {
      ...row,
      id: `rev_0199c1f0a2b37c4d${suffix}`,
      target: `tok_0199c1f0a2b37c4d${suffix}`,
      tokens_until_ms: Date.now() + DAY_MS,
    }
    insert.run(...names.map((name) => copy[name as keyof typeof copy] ?? null))
  }
  db.exec('commit')
  db.close()
}
