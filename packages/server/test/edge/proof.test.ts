import { describe, expect, test } from 'vitest'
import type { SourceChange } from '../faults/child-server.ts'
import { chooseSeed, seededRandom } from '../faults/seed.ts'
import { planFaults, type Round } from './fault-plan.ts'
import { LIMIT, Proof } from './proof.ts'

/** How many rounds of faults: `FAULT_CYCLES=60` for a long run. */
const ROUNDS = Number(process.env.FAULT_CYCLES ?? 2)
/** So that two rounds have every kind of fault. */
const PEERS = 5
const HOUR_MS = 3_600_000
const START_MS = 6 * HOUR_MS
const SEED = chooseSeed()

function planFrom(seed: number): readonly Round[] {
  return planFaults(seededRandom(seed), { rounds: ROUNDS, peers: PEERS, startMs: START_MS })
}

/** A lease that looks at one clock only. */
function lookAt(clock: 'wallMs' | 'monotonicMs'): readonly SourceChange[] {
  return [
    {
      file: 'edge/stopwatch.ts',
      from: 'Math.max(monotonicMs - this.#monotonicMs, wallMs - this.#wallMs)',
      to: `${clock} - this.#${clock}`,
    },
  ]
}

describe.concurrent('over processes', () => {
  test('L1, L2, V8: whatever is cut, held, killed, stopped or set, nothing passes after a receipt or past a lease', async ({
    expect,
    onTestFailed,
  }) => {
    const rounds = planFrom(SEED)
    onTestFailed(() => {
      console.log(`FAULT_SEED=${SEED} FAULT_CYCLES=${ROUNDS}`)
      for (const [index, round] of rounds.entries()) console.log(`round ${index}: ${JSON.stringify(round)}`)
    })
    const proof = await Proof.open({ seed: SEED, rounds, startMs: START_MS })
    try {
      await proof.run()
      expect([...proof.violations]).toEqual([])
      expect(proof.counts.effective).toBeGreaterThan(0)
      // The faults are over: what is valid passes again, and what was taken away does not.
      await expect.poll(async () => (await proof.answers()).filter(isWrong), { timeout: 10_000 }).toEqual([])
      // What they had not reported yet they report when they close.
      await proof.closePeers()
      for (const { passed, counted } of await proof.limits()) {
        expect(passed).toBeLessThanOrEqual(LIMIT)
        expect(counted).toBe(passed)
      }
      console.log(proof.counts)
    } finally {
      await proof.close()
    }
  }, 3_600_000)

  test('L2, V8: finds a lease that looks at one clock, and a receipt that looks at one', async () => {
    const round: Round = {
      lastsMs: 7_000,
      peers: [
        { kind: 'wall-back', ms: -HOUR_MS, isCut: true },
        { kind: 'monotonic-stands', ms: 0, isCut: true },
        { kind: 'cut', ms: 0, isCut: true },
      ],
      server: { kind: 'clock', afterMs: 500, ms: HOUR_MS },
    }
    const proof = await Proof.open({
      seed: SEED,
      rounds: [round],
      startMs: START_MS,
      peerChanges: [lookAt('wallMs'), lookAt('monotonicMs')],
      serverChanges: [
        {
          file: 'edge/verifier-registry.ts',
          from: ' || this.#monotonicMs() < lapsesAtMonotonicMs',
          to: '',
        },
      ],
    })
    try {
      await proof.run()
      const found = [...proof.violations]
      expect(found).toContainEqual(expect.stringMatching(/^ok past the lease .* peer 0/))
      expect(found).toContainEqual(expect.stringMatching(/^ok past the lease .* peer 1/))
      expect(found).toContainEqual(expect.stringMatching(/^ok after the receipt was effective .* peer 2/))
      expect(found).not.toContainEqual(expect.stringMatching(/^ok past the lease .* peer 2/))
      expect(found).not.toContainEqual(expect.stringContaining('though it is valid'))
    } finally {
      await proof.close()
    }
  }, 60_000)
})

test('a seed brings back the same faults, of every kind', () => {
  expect(planFrom(7)).toEqual(planFrom(7))
  expect(planFrom(8)).not.toEqual(planFrom(7))
  const kinds = planFrom(7).flatMap(({ peers }) => peers.map(({ kind }) => kind))
  expect(new Set(kinds).size).toBe(9)
})

function isWrong({ expected, outcomes }: { expected: string; outcomes: readonly string[] }): boolean {
  return outcomes.some((outcome) => outcome !== expected)
}
