import type { Socket } from 'node:net'

/**
 * Leaves requests unread while enough of them are under way. What was read takes memory until it is answered, and
 * each collection of garbage copies it, while verifications wait; what was not lies in the system's buffers.
 *
 * A connection is held back from the answer to a request of this kind until its turn comes, one a turn of the event loop, in
 * the order in which they were answered. Nobody's first request is held back, and nobody is while the server has time.
 */
export class Backlog {
  readonly #most: number
  #underWay = 0
  /** How many of them each connection has brought. */
  readonly #busy = new Map<Socket, number>()
  readonly #known = new WeakSet<Socket>()
  readonly #held: Socket[] = []
  #releasing = false
  readonly #release = (): void => {
    this.#releasing = false
    if (this.#underWay < this.#most) this.#held.shift()?.resume()
    this.#releaseNext()
  }

  /** How many may be under way before connections are held back. */
  constructor(most: number) {
    this.#most = most
  }

  /** A request was read from the connection. */
  enter(socket: Socket): void {
    if (!this.#known.has(socket)) {
      this.#known.add(socket)
      socket.once('close', () => this.#forget(socket))
    }
    this.#underWay++
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + 1)
  }

  /** It was answered. One whose connection has ended needs no answer, and has left by that. */
  leave(socket: Socket): void {
    const own = this.#busy.get(socket)
    if (own === undefined) return
    const crowded = this.#underWay > this.#most || this.#held.length > 0
    this.#underWay--
    if (own > 1) this.#busy.set(socket, own - 1)
    else this.#busy.delete(socket)
    this.#releaseNext()
    // Not at once: with the answer Node begins to read on.
    if (crowded) setImmediate(() => this.#hold(socket))
  }

  /** Reads from all again. */
  open(): void {
    for (const socket of this.#held.splice(0)) socket.resume()
  }

  /** One that has brought its next request meanwhile goes on: it may wait for the rest of that. */
  #hold(socket: Socket): void {
    if (socket.destroyed || this.#busy.has(socket)) return
    socket.pause()
    this.#held.push(socket)
    this.#releaseNext()
  }

  #forget(socket: Socket): void {
    this.#underWay -= this.#busy.get(socket) ?? 0
    this.#busy.delete(socket)
    this.#releaseNext()
  }

  #releaseNext(): void {
    if (this.#releasing || this.#held.length === 0 || this.#underWay >= this.#most) return
    this.#releasing = true
    setImmediate(this.#release)
  }
}
