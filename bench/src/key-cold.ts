import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createEngine, type Engine } from '@claviger/engine'
import type { Verifier } from '@claviger/verify'
import type { FillOrder } from './fill-database.ts'
import { FreshTexts } from './fresh-texts.ts'
import type { Contender } from './interleave.ts'
import { requestFor } from './project.ts'
import type { Row } from './row.ts'
import { shuffled } from './shuffled.ts'

const FEW = 1_000
const MANY = 1_000_000
const PASS_SIZE = 1_000
const WARM_UP = 10
const COUNTED = 31
const SMALL = 'Claviger, 1,000 keys'
const LARGE = 'Claviger, 1,000,000 keys'

interface Filled {
  readonly folder: string
  readonly engine: Engine
  readonly texts: FreshTexts
  readonly megabytes: number
}

export async function keyCold(): Promise<Row> {
  const small = await fill(FEW, 1)
  // Of the many each is asked for once at most, and those that are lie all over the index.
  const large = await fill(MANY, Math.floor(MANY / ((WARM_UP + COUNTED) * PASS_SIZE)))
  // The few are met again each round: by a verifier that does not know them.
  const empty: Verifier[] = []
  for (let round = 0; round < WARM_UP + COUNTED; round++)
    empty.push(await small.engine.openVerifier('default'))
  const one = await large.engine.openVerifier('default')
  return {
    title: 'Key, in process, never seen before, uniform',
    measures:
      'By processor time. Each key is met for the first time: the digest, one statement in the database, and the whole verdict. ' +
      `The database of ${MANY.toLocaleString('en')} keys is ${large.megabytes} MB large, and the ` +
      'operating system holds all of it in memory; SQLite’s own cache, 16 MB a connection, holds its inner pages and few ' +
      `others. The process took ${Math.round(process.memoryUsage.rss() / 1e6)} MB once both were open: memory is bounded by the caches, and ` +
      'not by the number of keys.',
    rounds: {
      contenders: [
        cold(
          SMALL,
          (round) => empty[round],
          () => small.texts.make(),
        ),
        cold(
          LARGE,
          () => one,
          (round) => large.texts.make(round * PASS_SIZE, PASS_SIZE),
        ),
      ],
      warmUp: WARM_UP,
      counted: COUNTED,
      passSize: PASS_SIZE,
    },
    reference: SMALL,
    aims: [{ contender: LARGE, against: SMALL, atLeast: 0.8 }],
    async close() {
      for (const { engine, folder } of [small, large]) {
        await engine.close()
        rmSync(folder, { recursive: true })
      }
    },
  }
}

async function fill(count: number, keep: number): Promise<Filled> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-bench-'))
  const file = join(folder, 'claviger.db')
  const made = await createEngine({ database: `sqlite:${file}` })
  await made.close()
  const filling = fork(fileURLToPath(import.meta.resolve('./fill-database.ts')))
  filling.send({ file, count, keep } satisfies FillOrder)
  const [kept] = await once(filling, 'message')
  // They were written in the order of their ids, and so would be found side by side.
  const texts = shuffled<string>(kept)
  const engine = await createEngine({ database: `sqlite:${file}` })
  return { folder, engine, texts: new FreshTexts(texts), megabytes: Math.round(statSync(file).size / 1e6) }
}

function cold(
  name: string,
  verifierOf: (round: number) => Verifier | undefined,
  inputs: (round: number) => string[],
): Contender {
  return {
    name,
    processorSeconds,
    prepare(round) {
      const [texts, verifier] = [inputs(round), verifierOf(round)]
      return async () => {
        let accepted = 0
        for (const text of texts) if ((await verifier?.verify(requestFor(text)))?.ok === true) accepted++
        return accepted
      }
    },
  }
}

/** Of the whole process: what waits for the disk is another's work, and the pages lie in memory. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
