import type { LimitHolder, Limits } from '@claviger/verify'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LimitCounters } from './limit-counters.ts'
import { periodEndMs } from './period.ts'
import type { Reserved, ReserveUnitsArgs } from './reserve-units.ts'

/** What the database does, for one process that is never restarted: it takes as much as is left. */
function memoryOfRows(nowMs: () => number) {
  const rows = new Map<string, { startMs: number; reserved: number }>()
  return {
    run: async (_name: string, args: ReserveUnitsArgs): Promise<Reserved> => {
      const identity = JSON.stringify([args.holder, args.holderKind, args.name, args.period])
      const known = rows.get(identity)
      const open =
        known !== undefined && nowMs() < periodEndMs(args.period, known.startMs) ? known : undefined
      const startMs = open?.startMs ?? (args.period.kind === 'window' ? nowMs() : 0)
      const before = open?.reserved ?? 0
      const granted = Math.max(0, Math.min(args.units, args.limit - before))
      if (granted > 0) rows.set(identity, { startMs, reserved: before + granted })
      const endMs = periodEndMs(args.period, startMs)
      return { startMs, endMs: Number.isFinite(endMs) ? endMs : null, reserved: before + granted, granted }
    },
  }
}

const holder = (kind: 'key' | 'subject', id: string, limits: Limits): LimitHolder => ({ kind, id, limits })
const units = fc.integer({ min: 1, max: 300 })
const limitsOf = fc.record({ short: units, long: units, quota: fc.option(units) })
const step = fc.record({
  key: fc.integer({ min: 0, max: 2 }),
  cost: fc.integer({ min: 0, max: 40 }),
  waitSeconds: fc.integer({ min: 0, max: 20 }),
})

test('Q1: a call passes exactly when every limit has its cost left, and then each is that much less; else none is', async () => {
  await fc.assert(
    fc.asyncProperty(
      limitsOf,
      limitsOf,
      fc.array(step, { maxLength: 60 }),
      async (ofKey, ofSubject, steps) => {
        let nowMs = 1_000_000
        const database = memoryOfRows(() => nowMs)
        const keeper = new LimitCounters({ run: database.run } as never).keeper('prj')
        const limits = ({ short, long, quota }: typeof ofKey): Limits => ({
          rates: [
            { name: 'short', limit: short, windowSeconds: 30 },
            { name: 'long', limit: long, windowSeconds: 90 },
          ],
          quota: quota === null ? null : { limit: quota, refill: null },
        })
        // The model: what is left of each limit. Windows are given all the time they need to close, or none.
        const spent = new Map<string, { units: number; untilMs: number }>()
        for (const { key, cost, waitSeconds } of steps) {
          if (waitSeconds === 20) nowMs += 200_000
          const holders = [
            holder('key', `key_${key}`, limits(ofKey)),
            holder('subject', 'all', limits(ofSubject)),
          ]
          const counted = holders.flatMap(({ kind, id, limits: { rates, quota } }) => [
            ...rates.map((rate) => ({
              of: `${kind}:${id}:${rate.name}`,
              limit: rate.limit,
              ms: rate.windowSeconds * 1000,
            })),
            ...(quota === null
              ? []
              : [{ of: `${kind}:${id}:quota`, limit: quota.limit, ms: Number.POSITIVE_INFINITY }]),
          ])
          const left = counted.map(({ of, limit }) => {
            const known = spent.get(of)
            return limit - (known === undefined || nowMs >= known.untilMs ? 0 : known.units)
          })
          const passes = left.every((remaining) => cost <= remaining)
          let spending = keeper.spend({ holders, cost, nowMs })
          for (let wait = 0; spending === undefined && wait < 5; wait++) {
            await keeper.prepare({ holders, cost, nowMs })
            spending = keeper.spend({ holders, cost, nowMs })
          }
          expect(spending?.ok).toBe(passes)
          expect(spending?.figures.map(({ remaining }) => remaining)).toEqual(
            left.map((remaining) => (passes ? remaining - cost : remaining)),
          )
          if (!passes || cost === 0) continue
          for (const [index, { of, limit, ms }] of counted.entries()) {
            const known = spent.get(of)
            const untilMs = known === undefined || nowMs >= known.untilMs ? nowMs + ms : known.untilMs
            spent.set(of, { units: limit - (left[index] ?? 0) + cost, untilMs })
          }
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('counters whose window has closed are forgotten, so that memory is bounded by the windows that are open', () => {
  const counters = new LimitCounters({ run: () => Promise.reject(new Error('not asked')) })
  const keeper = counters.keeper('prj')
  const limits: Limits = { rates: [{ name: 'short', limit: 1, windowSeconds: 60 }], quota: null }
  const passes = (key: string, minute: number): boolean | undefined =>
    keeper.spend({ holders: [holder('key', key, limits)], cost: 1, nowMs: minute * 60_000 })?.ok
  for (let minute = 1; minute <= 5; minute++) {
    for (let index = 0; index < 20_000; index++) {
      if (!passes(`key_${minute}_${index}`, minute)) throw new Error('a fresh key was limited')
    }
  }
  expect(counters.size).toBeLessThanOrEqual(40_000)
  expect(passes('key_5_0', 5)).toBe(false)
})
