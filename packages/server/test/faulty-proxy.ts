import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What lies between a verifier and its server: a proxy of bytes that can be told to misbehave. */
export class FaultyProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #held: (() => void)[] | null = null
  #isCut = false
  /** How long each piece is kept, milliseconds. */
  delayMs = 0
  /** The port that connections go to from now on. */
  target: number

  private constructor(target: number) {
    this.target = target
    this.#server = createServer((client) => {
      this.#keep(client)
      if (this.#isCut) {
        client.destroy()
        return
      }
      const upstream = connect(this.target, '127.0.0.1')
      this.#keep(upstream)
      this.#forward(client, upstream)
      this.#forward(upstream, client)
    })
  }

  static async open(target: number): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('The proxy does not listen.')
    return `http://127.0.0.1:${address.port}`
  }

  /** From now on every byte, of either way, waits for {@link release}. */
  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const write of held) write()
  }

  /** Ends every connection, with whatever is held of it, and lets none in until {@link mend}. */
  cut(): void {
    this.#isCut = true
    this.#held = null
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#isCut = false
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** In order, whatever the delay was when each piece came. */
  #forward(from: Socket, to: Socket): void {
    let delayed = 0
    let last = Promise.resolve()
    const pass = (act: () => void): void => {
      if (this.#held !== null) this.#held.push(act)
      else act()
    }
    const write = (act: () => void): void => {
      if (this.delayMs === 0 && delayed === 0) {
        pass(act)
        return
      }
      delayed++
      const due = sleep(this.delayMs)
      last = last
        .then(() => due)
        .then(() => {
          delayed--
          pass(act)
        })
    }
    from.on('data', (piece) => write(() => void (to.destroyed || to.write(piece))))
    from.once('close', () => write(() => void to.destroy()))
  }
}
