/**
 * Goes through every order in which the things of a small case can happen, and prints how many there were and what was
 * found, as JSON. The test that runs it also runs it with bugs planted in the shipped code (edge-explorer.test.ts).
 */
import { ExploredWorld, type SmallCase } from './explored-world.ts'

const NOTHING_ELSE = { changesBefore: 0, changesAfter: 0, cuts: 0, lostAnswers: 0, verifications: 0 }

const CASES: readonly SmallCase[] = [
  {
    ...NOTHING_ELSE,
    name: 'a machine that sleeps, and whose clock is set back once it is awake',
    clockSteps: [{ sleepsMs: 3_000 }, 300, { setByMs: -3_600_000 }, 2_500],
    lostAnswers: 1,
  },
  {
    ...NOTHING_ELSE,
    name: 'a clock that is set forward and back while answers are on their way',
    clockSteps: [1_500, { setByMs: 600_000 }, 2_000, { setByMs: -7_200_000 }, 3_000],
  },
  {
    ...NOTHING_ELSE,
    name: 'a lease that is renewed while the feed is cut',
    clockSteps: [2_000, 3_000, 2_500],
    cuts: 1,
  },
  {
    ...NOTHING_ELSE,
    name: 'answers that come late or never, while the feed is held back',
    clockSteps: [2_000, 1_500, 4_000, 1_000],
    lostAnswers: 1,
    isFeedHeld: true,
  },
  {
    ...NOTHING_ELSE,
    name: 'a key that is looked up while it is taken away',
    clockSteps: [1_600],
    verifications: 2,
  },
  {
    ...NOTHING_ELSE,
    name: 'changes that come from the feed and by asking',
    clockSteps: [1_600, 300],
    changesBefore: 1,
    cuts: 1,
  },
  {
    ...NOTHING_ELSE,
    name: 'a feed that is cut between two changes',
    clockSteps: [300, 1_600],
    changesAfter: 1,
    cuts: 1,
  },
]

interface Exploration {
  readonly name: string
  readonly orders: number
  /** What happened up to the first violation, and which it was. */
  readonly found: { readonly violation: string; readonly steps: readonly string[] } | null
}

/** Beyond it a case is not small. */
const MAX_ORDERS = 1_000_000

/** Each run goes by the choices that are left of the one before, the last of which is another one. */
async function explore(given: SmallCase): Promise<Exploration> {
  let choices: { index: number; of: number }[] = []
  for (let orders = 1; orders <= MAX_ORDERS; orders++) {
    const world = new ExploredWorld(given)
    await world.open()
    const labels: string[] = []
    for (let depth = 0; ; depth++) {
      const steps = world.steps()
      if (steps.length === 0) break
      const choice = choices[depth] ?? { index: 0, of: steps.length }
      choices[depth] = choice
      const step = steps[choice.index]
      if (step === undefined) throw new Error(`Not the same again after: ${labels.join(', ')}`)
      labels.push(step.label)
      step.run()
      world.look()
      await world.settle()
      world.look()
      if (world.violation !== undefined) {
        return { name: given.name, orders, found: { violation: world.violation, steps: labels } }
      }
    }
    while (choices.length > 0 && isLast(choices.at(-1))) choices.pop()
    const last = choices.at(-1)
    if (last === undefined) return { name: given.name, orders, found: null }
    choices = [...choices.slice(0, -1), { index: last.index + 1, of: last.of }]
  }
  throw new Error(`${given.name}: there are more than ${MAX_ORDERS} orders.`)
}

function isLast(choice: { readonly index: number; readonly of: number } | undefined): boolean {
  return choice === undefined || choice.index + 1 >= choice.of
}

const explorations: Exploration[] = []
for (const given of CASES) {
  const exploration = await explore(given)
  explorations.push(exploration)
  if (exploration.found !== null) break
}
console.log(JSON.stringify(explorations))
