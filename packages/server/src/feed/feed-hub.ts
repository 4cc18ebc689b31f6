import type { Readable } from 'node:stream'
import {
  CodedError,
  type Engine,
  MANAGEMENT_PROJECT,
  type ManagementCaller,
  type Project,
} from '@claviger/engine'
import type { Change, Position } from '@claviger/verify'
import { HEARTBEAT, RETRY, writeChange, writeEvent } from './feed-event.ts'
import { FeedReader } from './feed-reader.ts'

const HEARTBEAT_SECONDS = 1
/** How many heartbeats lie between two looks at who reads, besides those that a change of the management keys causes. */
const HEARTBEATS_A_LOOK = 10
const MAX_READERS = 20_000

/** A project's readers, and what ends its listening once there are none. */
interface Audience {
  readonly readers: Set<FeedReader>
  readonly stop: () => void
}

/**
 * The streams of changes of a node (rules F1, F3). A change is written out once for all readers of its project. Whoever
 * reads is authorised anew as it goes; who does not read is cut.
 */
export class FeedHub {
  readonly #engine: Engine
  readonly #audiences = new Map<string, Audience>()
  readonly #timer: NodeJS.Timeout
  readonly #stopWatching: () => void
  #beats = 0
  #looking = false
  #mustLook = false

  constructor(engine: Engine) {
    this.#engine = engine
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_SECONDS * 1000).unref()
    // In the next turn: by then the verifier of the management keys has been told too.
    this.#stopWatching = engine.onChanges(MANAGEMENT_PROJECT, () => setImmediate(() => void this.#look()))
  }

  /** Streams that are open. */
  get size(): number {
    let size = 0
    for (const { readers } of this.#audiences.values()) size += readers.size
    return size
  }

  /** Opens a stream that begins right after the position. Throws `too_many_requests`. */
  open(project: Project, { caller, after }: { caller: ManagementCaller; after: Position }): Readable {
    if (this.size >= MAX_READERS) {
      throw new CodedError('too_many_requests', `The server has ${MAX_READERS} readers, as many as it may.`)
    }
    const reader = new FeedReader({ caller, projectName: project.name, after })
    const { readers } = this.#audienceOf(project)
    readers.add(reader)
    reader.body.once('close', () => this.#forget(reader))
    reader.say(RETRY)
    reader.say(writeEvent('hello', { node: this.#engine.bootId, heartbeatSeconds: HEARTBEAT_SECONDS }))
    reader
      .catchUp((position) => project.edge.readChanges({ after: `${position.epoch}:${position.number}` }))
      .catch(() => reader.cut())
    return reader.body
  }

  close(): void {
    clearInterval(this.#timer)
    this.#stopWatching()
    for (const { readers, stop } of this.#audiences.values()) {
      stop()
      // They come again, to the server that follows.
      for (const reader of readers) reader.end(HEARTBEAT)
    }
  }

  #audienceOf(project: Project): Audience {
    const known = this.#audiences.get(project.name)
    if (known !== undefined) return known
    const readers = new Set<FeedReader>()
    const stop = project.onChanges((change) => tell(readers, change))
    const audience = { readers, stop }
    this.#audiences.set(project.name, audience)
    return audience
  }

  #forget(reader: FeedReader): void {
    const audience = this.#audiences.get(reader.projectName)
    audience?.readers.delete(reader)
    if (audience === undefined || audience.readers.size > 0) return
    audience.stop()
    this.#audiences.delete(reader.projectName)
  }

  #beat(): void {
    for (const { readers } of this.#audiences.values()) for (const reader of readers) reader.beat()
    if (++this.#beats % HEARTBEATS_A_LOOK === 0) void this.#look()
  }

  /** Ends the streams of those who may not read any more. What changes meanwhile may concern one that was looked at. */
  async #look(): Promise<void> {
    this.#mustLook = true
    if (this.#looking) return
    this.#looking = true
    try {
      while (this.#mustLook) {
        this.#mustLook = false
        for (const { readers } of this.#audiences.values()) {
          for (const reader of readers) await this.#check(reader)
        }
      }
    } finally {
      this.#looking = false
    }
  }

  async #check(reader: FeedReader): Promise<void> {
    const caller = await this.#engine.reauthenticate(reader.caller)
    // Nobody can tell now whether it may: its lease, which is asked for elsewhere, ends by itself.
    if (!caller.ok && caller.code === 'unavailable') return
    if (!caller.ok) reader.end(writeEvent('end', { code: caller.code }))
    else if (!caller.verbs.includes('changes:read')) reader.end(writeEvent('end', { code: 'forbidden' }))
  }
}

function tell(readers: ReadonlySet<FeedReader>, change: Change): void {
  const event = { position: change.position, text: writeChange(change) }
  for (const reader of readers) reader.offer(event)
}
