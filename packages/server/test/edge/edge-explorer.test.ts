import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { environmentWith, type SourceChange } from '../faults/child-server.ts'

interface Exploration {
  readonly name: string
  readonly orders: number
  readonly found: { readonly violation: string; readonly steps: readonly string[] } | null
}

/** Explores the shipped code, or with these texts of it replaced. */
function explore(changes: readonly SourceChange[] = []): readonly Exploration[] {
  const program = new URL('./explore.ts', import.meta.url).pathname
  const { stdout, stderr, status } = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    env: environmentWith(changes),
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

/** A mistake that somebody could make in the shipped code. */
const BUGS: readonly { readonly name: string; readonly changes: readonly SourceChange[] }[] = [
  {
    name: 'L2: a lease that is counted from when its answer came',
    changes: [
      {
        file: 'edge/lease-keeper.ts',
        from: 'untilMs: sentAtMs +',
        to: 'untilMs: this.#options.stopwatch.mark() +',
      },
    ],
  },
  {
    name: 'L2: a lease that looks at the wall clock alone',
    changes: [
      {
        file: 'edge/stopwatch.ts',
        from: 'Math.max(monotonicMs - this.#monotonicMs, wallMs - this.#wallMs)',
        to: 'wallMs - this.#wallMs',
      },
    ],
  },
  {
    name: 'L2: a lease that looks at the monotonic clock alone',
    changes: [
      {
        file: 'edge/stopwatch.ts',
        from: 'Math.max(monotonicMs - this.#monotonicMs, wallMs - this.#wallMs)',
        to: 'monotonicMs - this.#monotonicMs',
      },
    ],
  },
  {
    name: 'L2: a lease that gets time back when a clock is set back',
    changes: [
      {
        file: 'edge/lease-keeper.ts',
        from: '      stopwatch.mark()\n',
        to: '',
      },
    ],
  },
  {
    name: 'L2: a lease that holds before its head is applied',
    changes: [
      {
        file: 'edge/lease.ts',
        from: 'const holds = isApplied(grant.head, applied)',
        to: 'const holds = applied !== undefined',
      },
    ],
  },
  {
    name: 'F2: a fill whose position is not looked at',
    changes: [
      {
        file: 'verifier/key-cache.ts',
        from: 'if (isOlder(answer, fill.touchedAt)) continue',
        to: '',
      },
    ],
  },
  {
    name: 'F1: a change that is skipped when the stream is opened anew',
    changes: [
      {
        file: 'edge/feed-follower.ts',
        from: 'await transport.follow(after,',
        to: 'await transport.follow({ ...after, number: after.number + 1 },',
      },
      {
        file: 'edge/applied-facts.ts',
        from: "if (number !== position.number + 1) throw new EdgeError('protocol', 'The server left out a change.')",
        to: '',
      },
    ],
  },
  {
    name: 'V8: a receipt that is effective a second before the last lease ends',
    changes: [
      {
        file: 'edge/verifier-registry.ts',
        from: 'const lastsMs = (MAX_STALENESS_SECONDS + allowCachedSeconds) * 1000',
        to: 'const lastsMs = (MAX_STALENESS_SECONDS + allowCachedSeconds - 1) * 1000',
      },
    ],
  },
]

describe('over every order of a small case', () => {
  test('L1, L2, F1, F2, V8: nothing passes past a lease, nor once a receipt is effective', () => {
    const explorations = explore()
    for (const { name, orders, found } of explorations) {
      console.log(`${orders} orders: ${name}`)
      expect(found, name).toBeNull()
    }
    expect(explorations).toHaveLength(7)
    expect(explorations.reduce((sum, { orders }) => sum + orders, 0)).toBeGreaterThan(10_000)
  })

  test.each(BUGS)('the explorer finds $name', ({ changes }) => {
    const found = explore(changes).find((exploration) => exploration.found !== null)?.found
    expect(found?.violation).toMatch(/^ok (after the receipt was effective|past the lease)/)
    console.log(found?.steps.join(', '))
  })
})
