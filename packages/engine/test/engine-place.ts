import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type ManualClock, manualClock } from '../src/clock.ts'
import { createEngine, type EngineOptions } from '../src/create-engine.ts'
import type { Engine } from '../src/engine.ts'
import { START_MS } from './installation.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** A data folder whose engine is opened and closed as a test says. */
export interface EnginePlace {
  readonly folder: string
  readonly database: string
  readonly journal: string
  readonly clock: ManualClock
  /** What was logged. */
  readonly problems: string[]
  open(options?: Partial<EngineOptions>): Promise<Engine>
  /** Opens, does the work, closes. */
  within<Result>(work: (engine: Engine) => Promise<Result>): Promise<Result>
  /** Copies the database and nothing else, as somebody does by hand. The answer puts it back. */
  copyDatabase(): () => void
}

export function makeEnginePlace(): EnginePlace {
  const folder = join(temporaryFolder(), 'data')
  const database = join(folder, 'claviger.db')
  const clock = manualClock(START_MS)
  const problems: string[] = []
  const opened = new Set<Engine>()
  onTestFinished(async () => {
    for (const engine of opened) await engine.close()
  })

  async function open(options: Partial<EngineOptions> = {}): Promise<Engine> {
    const engine = await createEngine({
      database: `sqlite:${database}`,
      clock,
      publicUrl: 'https://auth.example.com',
      log: ({ message, cause }) => problems.push(`${message} ${cause}`),
      ...options,
    })
    await engine.turnKeyrings()
    opened.add(engine)
    return engine
  }

  return {
    folder,
    database,
    journal: join(folder, 'journal'),
    clock,
    problems,
    open,
    async within(work) {
      const engine = await open()
      try {
        return await work(engine)
      } finally {
        opened.delete(engine)
        await engine.close()
      }
    },
    copyDatabase() {
      const aside = join(temporaryFolder(), 'copy')
      mkdirSync(aside)
      const files = (of: string): string[] => readdirSync(of).filter((name) => name.startsWith('claviger.db'))
      for (const name of files(folder)) copyFileSync(join(folder, name), join(aside, name))
      return () => {
        for (const name of files(folder)) rmSync(join(folder, name))
        for (const name of files(aside)) copyFileSync(join(aside, name), join(folder, name))
      }
    },
  }
}
