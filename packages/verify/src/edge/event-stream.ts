/** One event of a stream (HTML, section 9.2). */
export interface StreamEvent {
  readonly name: string
  readonly data: string
}

/** Reads server-sent events, line by line. */
export class EventStream {
  #name = ''
  #data: string[] = []

  /** The event that the line ends, if it ends one. */
  push(ended: string): StreamEvent | undefined {
    const line = ended.replace(/\r$/, '')
    if (line === '') return this.#takeEvent()
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? []
    if (field === 'event') this.#name = value
    else if (field === 'data') this.#data.push(value)
    return undefined
  }

  #takeEvent(): StreamEvent | undefined {
    const event = { name: this.#name, data: this.#data.join('\n') }
    const isEmpty = this.#data.length === 0 && this.#name === ''
    this.#name = ''
    this.#data = []
    return isEmpty ? undefined : event
  }
}
