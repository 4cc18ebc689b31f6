import { Readable } from 'node:stream'
import type { ManagementCaller } from '@claviger/engine'
import { type ChangesPage, formatPosition, type Position } from '@claviger/verify'
import { type FeedEvent, HEARTBEAT, writeChange, writeEvent } from './feed-event.ts'

/** What a reader may leave unread before it is cut: it comes again, and goes on where it was. */
const MAX_UNREAD_CHARACTERS = 1024 * 1024
/** While it catches up, no more is read from the database than that it takes. */
const CATCH_UP_CHARACTERS = 256 * 1024
const MAX_BEATS_SINCE_END = 10

/** One stream of one project's changes: first those that it missed, then each as it is made. */
export class FeedReader {
  readonly caller: ManagementCaller
  readonly projectName: string
  readonly body: Readable
  /** The last change that was written. */
  #position: Position
  /** What came while it was catching up; null: it has. */
  #waiting: FeedEvent[] | null = []
  #waitingCharacters = 0
  #taken: (() => void) | undefined
  /** The last word was written, though it may not have been read yet. */
  #hasEnded = false
  #beatsSinceEnd = 0

  constructor(given: { caller: ManagementCaller; projectName: string; after: Position }) {
    this.caller = given.caller
    this.projectName = given.projectName
    this.#position = given.after
    this.body = new Readable({ encoding: 'utf8', read: () => this.#taken?.() })
  }

  get isOpen(): boolean {
    return !this.body.destroyed && !this.#hasEnded
  }

  /** Writes what comes after its place, page by page, and then what was made meanwhile. */
  async catchUp(read: (after: Position) => Promise<ChangesPage>): Promise<void> {
    for (let more = true; more && this.isOpen; ) {
      const page = await read(this.#position)
      if ('reset' in page) return this.end(writeEvent('reset', { position: page.head }))
      for (const change of page.changes) this.#write({ position: change.position, text: writeChange(change) })
      more = page.more
      if (this.body.readableLength > CATCH_UP_CHARACTERS) await this.#nextRead()
    }
    const waiting = this.#waiting ?? []
    this.#waiting = null
    for (const event of waiting) this.#write(event)
  }

  /** A change that was just made. */
  offer(event: FeedEvent): void {
    if (this.#waiting === null) {
      this.#write(event)
      return
    }
    this.#waiting.push(event)
    this.#waitingCharacters += event.text.length
    if (this.#waitingCharacters > MAX_UNREAD_CHARACTERS) this.cut()
  }

  /** Says once a second that the stream lives. Whoever does not take its last word is cut. */
  beat(): void {
    if (this.isOpen) this.body.push(HEARTBEAT)
    else if (this.#hasEnded && ++this.#beatsSinceEnd > MAX_BEATS_SINCE_END) this.cut()
  }

  /** Writes what is no change. */
  say(text: string): void {
    if (this.isOpen) this.body.push(text)
  }

  /** Writes a last word. */
  end(text: string): void {
    if (!this.isOpen) return
    this.#hasEnded = true
    this.body.push(text)
    this.body.push(null)
  }

  cut(): void {
    this.body.destroy()
    this.#taken?.()
  }

  #write({ position, text }: FeedEvent): void {
    if (!this.isOpen || isWritten(position, this.#position)) return
    if (position.epoch !== this.#position.epoch || position.number !== this.#position.number + 1) {
      this.end(writeEvent('reset', { position: formatPosition(position) }))
      return
    }
    this.#position = position
    this.body.push(text)
    if (this.#waiting === null && this.body.readableLength > MAX_UNREAD_CHARACTERS) this.cut()
  }

  #nextRead(): Promise<void> {
    return new Promise((resolve) => {
      this.#taken = () => {
        this.#taken = undefined
        resolve()
      }
      if (!this.isOpen) this.#taken()
    })
  }
}

function isWritten(position: Position, last: Position): boolean {
  return position.epoch === last.epoch && position.number <= last.number
}
