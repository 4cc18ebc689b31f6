import type { Answer, ChildServer } from './child-server.ts'

/** What is known of a text or a key. `unknown`: a request about it went unanswered, and either may be. */
type Known<State extends string> = State | 'unknown'

interface KeyText {
  readonly text: string
  state: Known<'works' | 'rotated-out'>
}

interface KeyRecord {
  readonly id: string
  /** The current one last. */
  readonly texts: KeyText[]
  life: Known<'live' | 'revoked'>
}

export interface Checked {
  readonly verdicts: number
  readonly losses: readonly string[]
}

const CREATE_SHARE = 0.5
const ROTATE_SHARE = 0.25
const LONG_OVERLAP_SECONDS = 86_400
const CHECKERS = 8

/** What the clients were told, and so what the server owes them. */
export class Ledger {
  readonly #random: () => number
  readonly #records: KeyRecord[] = []
  #touched = new Set<KeyRecord>()
  readonly refusals: string[] = []
  acknowledged = 0
  unanswered = 0

  constructor(random: () => number) {
    this.#random = random
  }

  beginCycle(): void {
    this.#touched = new Set()
  }

  all(): readonly KeyRecord[] {
    return this.#records
  }

  /** The records of this cycle, and some of the former ones. */
  touched(former: number): readonly KeyRecord[] {
    const records = new Set(this.#touched)
    for (let count = 0; count < former; count++) {
      const record = this.#pick(this.#records)
      if (record !== undefined) records.add(record)
    }
    return [...records]
  }

  /** Creates, rotates and revokes without pause, until the server is gone. Its keys of this run are its own. */
  async runClient(server: ChildServer): Promise<void> {
    const own: KeyRecord[] = []
    for (;;) {
      const choice = this.#random()
      const record = this.#pick(own)
      try {
        if (record === undefined || choice < CREATE_SHARE) own.push(...(await this.#create(server)))
        else if (choice < CREATE_SHARE + ROTATE_SHARE) await this.#rotate(server, record)
        else await this.#revoke(server, record)
      } catch {
        this.unanswered += 1
        return
      }
    }
  }

  async #create(server: ChildServer): Promise<KeyRecord[]> {
    const answer = await server.call('POST', '/v1/keys', { name: 'kept', permissions: ['a:b'] })
    if (!this.#isAcknowledged(answer, 201)) return []
    const { id, credential } = answer.body
    const record: KeyRecord = { id, texts: [{ text: credential, state: 'works' }], life: 'live' }
    this.#records.push(record)
    this.#touched.add(record)
    return [record]
  }

  async #rotate(server: ChildServer, record: KeyRecord): Promise<void> {
    if (record.life !== 'live') return
    const overlapSeconds = this.#random() < 0.5 ? 0 : LONG_OVERLAP_SECONDS
    const former = overlapSeconds === 0 ? record.texts.filter(({ state }) => state === 'works') : []
    this.#touched.add(record)
    for (const text of former) text.state = 'unknown'
    const answer = await server.call('POST', `/v1/keys/${record.id}/rotate`, { overlapSeconds })
    const done = this.#isAcknowledged(answer, 200)
    for (const text of former) text.state = done ? 'rotated-out' : 'works'
    if (done) record.texts.push({ text: answer.body.credential, state: 'works' })
  }

  async #revoke(server: ChildServer, record: KeyRecord): Promise<void> {
    if (record.life !== 'live') return
    this.#touched.add(record)
    record.life = 'unknown'
    const answer = await server.call('POST', `/v1/keys/${record.id}/revoke`, {})
    record.life = this.#isAcknowledged(answer, 200) ? 'revoked' : 'live'
  }

  #isAcknowledged({ status, body }: Answer, success: number): boolean {
    if (status === success) this.acknowledged += 1
    else this.refusals.push(`${status} ${body.code}: ${body.detail}`)
    return status === success
  }

  /** Asks for the verdict of every text. What was unknown is known from then on, and must stay so. */
  async check(server: ChildServer, records: readonly KeyRecord[]): Promise<Checked> {
    const losses: string[] = []
    const waiting = [...records]
    let verdicts = 0
    const checker = async (): Promise<void> => {
      for (let record = waiting.pop(); record !== undefined; record = waiting.pop()) {
        for (const known of record.texts) {
          const verdict = await server.verdict(known.text)
          verdicts += 1
          if (!learn(record, known, verdict)) {
            losses.push(`${record.id} is ${record.life}, its text ${known.state}, the verdict ${verdict}`)
          }
        }
      }
    }
    await Promise.all(Array.from({ length: CHECKERS }, checker))
    return { verdicts, losses }
  }

  #pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.#random() * items.length)]
  }
}

/** Whether the verdict is one that the record allows. */
function learn(record: KeyRecord, known: KeyText, verdict: string): boolean {
  if (record.life === 'unknown') record.life = verdict === 'revoked' ? 'revoked' : 'live'
  if (record.life === 'revoked') return verdict === 'revoked'
  if (known.state === 'unknown') known.state = verdict === 'rotated_out' ? 'rotated-out' : 'works'
  return verdict === (known.state === 'works' ? 'ok' : 'rotated_out')
}
