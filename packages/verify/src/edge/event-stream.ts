/** One event of a stream (HTML, section 9.2). */
export interface StreamEvent {
  readonly name: string
  readonly data: string
}

/** A change that is larger than this is none. */
const MAX_EVENT_CHARACTERS = 64 * 1024 * 1024

/** Reads server-sent events from text that comes in pieces. */
export class EventStream {
  #rest = ''
  #name = ''
  #data: string[] = []

  /** The events that the piece completes. */
  push(piece: string): StreamEvent[] {
    const lines = (this.#rest + piece).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > MAX_EVENT_CHARACTERS) throw new TypeError('An event of the stream is too long.')
    const events: StreamEvent[] = []
    for (const ended of lines) {
      const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended
      if (line !== '') this.#takeLine(line)
      else if (this.#data.length > 0 || this.#name !== '') events.push(this.#takeEvent())
    }
    return events
  }

  #takeLine(line: string): void {
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') this.#name = value
    else if (field === 'data') this.#data.push(value)
  }

  #takeEvent(): StreamEvent {
    const event = { name: this.#name, data: this.#data.join('\n') }
    this.#name = ''
    this.#data = []
    return event
  }
}
