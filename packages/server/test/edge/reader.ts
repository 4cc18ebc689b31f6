/**
 * Many readers of one server's feed in a process of their own, each a bare socket. Answers each message by how its groups
 * stand, which costs the readers next to nothing.
 */
import { connect, type Socket } from 'node:net'
import type { GroupState, ReaderMessage } from './reader-process.ts'

const EVENT = /^(?:id: (?<id>\S+)\n)?event: (?<event>\w+)$/m

class Group {
  readonly sockets: Socket[] = []
  readonly seen = new Map<string, { streams: number; lastAtNs: bigint }>()
  readonly ends: string[] = []
  readonly ports: number[] = []
  readonly counts = { greeted: 0, closed: 0 }

  open({ port, key, after, reads }: Extract<ReaderMessage, { count: number }>): void {
    const socket = connect(port, '127.0.0.1')
    this.sockets.push(socket)
    // Without chunks: what comes is the stream itself.
    socket.write(
      `GET /v1/changes?after=${after} HTTP/1.0\r\nhost: localhost\r\naccept: text/event-stream\r\nauthorization: Bearer ${key}\r\n\r\n`,
    )
    socket.on('connect', () => this.ports.push(socket.localPort ?? 0))
    socket.on('error', () => undefined)
    socket.on('close', () => this.counts.closed++)
    if (!reads) return
    let rest = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      const blocks = (rest + text).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) this.#take(block)
    })
  }

  #take(block: string): void {
    const { id, event } = EVENT.exec(block)?.groups ?? {}
    if (event === 'hello') this.counts.greeted++
    if (event === 'end') this.ends.push(block.slice(block.indexOf('data: ') + 'data: '.length))
    if (id === undefined) return
    const seen = this.seen.get(id) ?? { streams: 0, lastAtNs: 0n }
    this.seen.set(id, { streams: seen.streams + 1, lastAtNs: process.hrtime.bigint() })
  }

  state(): GroupState {
    const seen = [...this.seen].map(([id, { streams, lastAtNs }]) => [
      id,
      { streams, lastAtNs: String(lastAtNs) },
    ])
    return { ...this.counts, ends: this.ends, ports: this.ports, seen: Object.fromEntries(seen) }
  }
}

const groups = new Map<string, Group>()

process.on('message', (message: ReaderMessage) => {
  const group = groups.get(message.group) ?? new Group()
  groups.set(message.group, group)
  if ('count' in message) for (let opened = 0; opened < message.count; opened++) group.open(message)
  if ('closes' in message) for (const socket of group.sockets) socket.destroy()
  process.send?.(group.state())
})
process.on('disconnect', () => process.exit())
