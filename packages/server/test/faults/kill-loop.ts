import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { type SourceChange, spawnServer, startServer } from './child-server.ts'
import { Ledger } from './ledger.ts'

export interface KillLoopOptions {
  readonly folder: string
  readonly cycles: number
  readonly random: () => number
  readonly changes?: readonly SourceChange[]
  /** Ends the loop at the first cycle that lost something. */
  readonly stopAtLoss?: boolean
}

export interface KillLoopReport {
  readonly cycles: number
  /** Creations, rotations and revocations whose whole answer arrived. */
  readonly acknowledged: number
  /** Requests that the kill left without an answer. */
  readonly unanswered: number
  /** Verdicts asked after a restart. */
  readonly verdicts: number
  /** What was acknowledged and did not hold, and gaps in the feed. */
  readonly losses: readonly string[]
  /** Answers other than success while the server ran. */
  readonly refusals: readonly string[]
}

const CLIENTS = 6
/** A kill falls after so many acknowledgements and a moment more, so that a slow machine proves as much. */
const MAX_ACKNOWLEDGED = 220
const MAX_TRAFFIC_MS = 4_000
const MAX_MOMENT_MS = 20
const MAX_START_MS = 400
const START_KILL_SHARE = 0.2
/** Records of former cycles that a restart looks at again; the last one looks at all. */
const FORMER_RECORDS = 50

/** Kills a server under load, restarts it on its folder and holds it to its acknowledgements, again and again. */
export async function runKillLoop(options: KillLoopOptions): Promise<KillLoopReport> {
  const { folder, cycles, random, changes = [] } = options
  const ledger = new Ledger(random)
  const losses: string[] = []
  let cycle = 0
  let verdicts = 0
  let server = await startServer(folder, { changes })
  try {
    while (cycle < cycles && !(options.stopAtLoss === true && losses.length > 0)) {
      cycle += 1
      ledger.beginCycle()
      const traffic = Array.from({ length: CLIENTS }, () => ledger.runClient(server))
      const enough = ledger.acknowledged + random() * MAX_ACKNOWLEDGED
      for (let waited = 0; ledger.acknowledged < enough && waited < MAX_TRAFFIC_MS; waited += 5)
        await sleep(5)
      await sleep(random() * MAX_MOMENT_MS)
      await server.kill()
      await Promise.all(traffic)

      if (random() < START_KILL_SHARE) await killAtStart(folder, changes, random() * MAX_START_MS)
      server = await startServer(folder, { changes })
      const records = cycle === cycles ? ledger.all() : ledger.touched(FORMER_RECORDS)
      const checked = await ledger.check(server, records)
      verdicts += checked.verdicts
      losses.push(...[...checked.losses, ...gapsOfFeed(folder)].map((loss) => `cycle ${cycle}: ${loss}`))
    }
  } finally {
    await server.kill()
  }
  const { acknowledged, unanswered, refusals } = ledger
  return { cycles: cycle, acknowledged, unanswered, verdicts, losses, refusals }
}

/** A start is no safer moment than another. */
async function killAtStart(folder: string, changes: readonly SourceChange[], afterMs: number): Promise<void> {
  const starting = spawnServer(folder, { changes })
  const exited = new Promise((resolve) => starting.once('exit', resolve))
  await sleep(afterMs)
  starting.kill('SIGKILL')
  await exited
}

/** What keeps the positions of a project from being 1, 2, 3 up to its head (rule C3). */
function gapsOfFeed(folder: string): string[] {
  const database = new DatabaseSync(join(folder, 'claviger.db'), { readOnly: true, timeout: 5_000 })
  try {
    const rows = database
      .prepare(
        `select name, head, count(number) as changes, min(number) as first, max(number) as last,
           count(distinct changes.epoch) as epochs
         from projects left join changes on changes.project_id = projects.id group by projects.id`,
      )
      .all()
    return rows
      .filter(({ head, changes, first, last, epochs }) =>
        head === 0 ? changes !== 0 : changes !== head || first !== 1 || last !== head || epochs !== 1,
      )
      .map((row) => `the feed has a gap: ${JSON.stringify(row)}`)
  } finally {
    database.close()
  }
}
