import { expect, test } from 'vitest'
import type { Outcome } from './messages.ts'
import { WriterCounts } from './writer-counts.ts'

const stored: Outcome = { ok: true, commandId: 'cmd_1', result: '', changes: [] }
const full: Outcome = { ok: false, commandId: 'cmd_2', code: 'storage_full', detail: 'The disk is full.' }
const refused: Outcome = { ok: false, commandId: 'cmd_3', code: 'not_found', detail: 'There is none.' }

test('a full disk is told until something was stored again, and by no other refusal', () => {
  const counts = new WriterCounts()
  counts.add({ outcomes: [refused], tookMs: 1 })
  expect(counts.read().storageFull).toBe(false)
  counts.add({ outcomes: [stored, full], tookMs: 1 })
  counts.add({ outcomes: [refused], tookMs: 1 })
  expect(counts.read().storageFull).toBe(true)
  counts.add({ outcomes: [stored], tookMs: 1 })
  expect(counts.read()).toMatchObject({ storageFull: false, commandsStored: 2, commandsRefused: 3 })
})

test('batches are counted by their size and by the time they took', () => {
  const counts = new WriterCounts()
  counts.add({ outcomes: [stored, stored, stored], tookMs: 3 })
  const { batchSize, batchDuration } = counts.read()
  expect(batchSize).toMatchObject({ sum: 3, cumulative: [0, 0, 1, 1, 1, 1, 1, 1, 1, 1] })
  expect(batchDuration.sum).toBe(3)
})
