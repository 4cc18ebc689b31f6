import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SnapshotEnd, SnapshotHead } from '@claviger/verify'
import type { Kysely } from 'kysely'
import { otherRulesQuery, readSimpleRules, readSnapshotHead, writeRules } from '../changes/snapshot.ts'
import { authorizeRead } from '../management/authorize.ts'
import { readRule } from '../revocation/rule-row.ts'
import type { Scope } from '../scope.ts'
import { openForReading } from '../storage/open-database.ts'
import type { Schema } from '../storage/schema.ts'

/** Lines that are written together, between two turns of the event loop. */
const LINES_A_CHUNK = 500

/**
 * The snapshot of a project as lines of JSON, in chunks: its head, a fact a line, and an end without which it is none.
 * Rules can be a million. They are read a few at a time, on a connection of its own whose transaction keeps all of it at
 * one position, so that neither memory nor other requests suffer.
 */
export async function* snapshotLines(
  scope: Scope & { readonly databaseFile: string },
): AsyncGenerator<string, void> {
  await authorizeRead(scope, 'changes:read')
  const { sqlite, db } = openForReading(scope.databaseFile)
  try {
    sqlite.exec('BEGIN')
    yield* linesOf(db, { projectId: scope.projectId, nowMs: scope.clock.nowMs() })
  } finally {
    sqlite.close()
  }
}

async function* linesOf(
  db: Kysely<Schema>,
  place: { readonly projectId: string; readonly nowMs: number },
): AsyncGenerator<string, void> {
  const { facts, ...head } = await readSnapshotHead(db, place)
  let count = facts.length
  let lines: string[] = [
    JSON.stringify(head satisfies SnapshotHead),
    ...facts.map((fact) => JSON.stringify(fact)),
  ]
  for (let lastId = ''; ; ) {
    const pages = await readSimpleRules(db, place, lastId)
    if (pages.length === 0) break
    for (const page of pages) {
      lines.push(writeRules(page))
      count += page.count
      if (page.lastId > lastId) lastId = page.lastId
    }
    yield `${lines.join('\n')}\n`
    lines = []
    await nextTurn()
  }
  for await (const row of otherRulesQuery(db, place).stream()) {
    lines.push(JSON.stringify({ type: 'revocation', rule: readRule(row) }))
    count++
    if (lines.length < LINES_A_CHUNK) continue
    yield `${lines.join('\n')}\n`
    lines = []
    await nextTurn()
  }
  lines.push(JSON.stringify({ end: true, facts: count } satisfies SnapshotEnd))
  yield `${lines.join('\n')}\n`
}
