import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { type DirectAnswer, headText } from './answer-text.ts'
import type { Carrier, DirectLane, Exchange, Lane } from './direct-lane.ts'
import { type PlainHead, readPlainHead } from './plain-head.ts'

/** A request line of RFC 9112, section 3, ends in it. */
const VERSION = ' HTTP/1.1'
/** More than any request line of the direct lane has. */
const MAX_LINE_BYTES = 64

export interface PlainConnectionParts {
  readonly lane: DirectLane
  /** The request line and all headers together; more is Node's to judge. */
  readonly maxHeaderBytes: number
  readonly keepAliveSeconds: number
  /** Gives a connection to Node's server, for good. What was read of it is put back before. */
  readonly giveToNode: (socket: Socket, unread: Buffer) => void
  /** Called once, when the connection has ended or was given away. */
  readonly onGone: (connection: PlainConnection) => void
}

/**
 * A connection whose requests are read here as long as each is one of the direct lane's, plainly written, and the only one
 * on its way (decision 0033). With the first that is anything else the connection goes to Node's server, with every byte of
 * that request, and stays there: so each byte is read by one parser, and the two cannot differ over where a request ends.
 */
export class PlainConnection implements Carrier {
  readonly clientAddress: string
  readonly #socket: Socket
  readonly #parts: PlainConnectionParts
  /** The beginning of a request that has not come whole, or what came while another is being answered. */
  #unread: Buffer | undefined
  /** The lane of the request that is being answered, or is to be. */
  #underWay: Lane | undefined
  /** The client wants the connection to end with that answer. */
  #closes = false
  /** The client has sent its last. */
  #halfClosed = false
  #gone = false
  #used = false
  #looks = 0

  /** The request that waits for its turn: its bytes alone, since what a collection of garbage has to copy should be little. */
  #waiting: Buffer | undefined

  readonly #onTurn = (): void => {
    const lane = this.#underWay
    const bytes = this.#withUnread(this.#waiting)
    this.#waiting = undefined
    // The client may have gone meanwhile, or the server have begun to close.
    if (lane === undefined || this.#gone || !this.#parts.lane.open) this.#giveAway(bytes)
    else this.#begin(lane, bytes)
  }
  readonly #onAnswered = (): void => {
    if (this.#unread !== undefined && this.#underWay === undefined && !this.#gone) this.#take(undefined)
  }
  readonly #onData = (chunk: Buffer): void => this.#take(chunk)
  readonly #onEnd = (): void => {
    this.#halfClosed = true
    if (this.#underWay === undefined) this.#socket.end()
  }
  readonly #onError = (): void => void this.#socket.destroy()
  readonly #onClose = (): void => this.#leave()
  readonly #onDrain = (): void => {
    if (this.#underWay === undefined) this.#socket.resume()
  }

  constructor(socket: Socket, parts: PlainConnectionParts) {
    this.#socket = socket
    this.#parts = parts
    this.clientAddress = socket.remoteAddress ?? ''
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
    socket.on('drain', this.#onDrain)
  }

  /** Whether it is between two requests, or before the first. */
  get waiting(): boolean {
    return this.#underWay === undefined && this.#unread === undefined
  }

  /** Whether a request of it was answered. */
  get used(): boolean {
    return this.#used
  }

  /** How often {@link look} was called since the last request began to arrive. */
  get looks(): number {
    return this.#looks
  }

  /** Called now and then. A request that has not come whole since the last time is Node's, which knows how long one may take. */
  look(): void {
    this.#looks++
    if (this.#underWay === undefined && this.#unread !== undefined && this.#looks > 1)
      this.#giveAway(this.#withUnread(undefined))
  }

  /** Ends it at once, whatever is on its way. */
  destroy(): void {
    this.#socket.destroy()
  }

  write(answer: DirectAnswer): void {
    const lane = this.#underWay
    if (lane === undefined) return
    const close = this.#closes || this.#halfClosed || this.#parts.lane.closing
    const length = Buffer.byteLength(answer.body)
    const headers = { ...answer.headers, 'content-length': String(length) }
    const { keepAliveSeconds } = this.#parts
    const text = headText({ ...answer, headers }, { close, keepAliveSeconds }) + answer.body
    this.#settle(lane)
    this.#used = true
    // Of ASCII alone, which then needs no encoding.
    const more = this.#socket.write(text, length === answer.body.length ? 'latin1' : 'utf8')
    if (close) this.#end()
    // Who does not read answers is not read either.
    else if (!more) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
    if (this.#unread !== undefined) setImmediate(this.#onAnswered)
  }

  /** Ends it once all is written; what still comes is not read. */
  #end(): void {
    this.#socket.off('data', this.#onData)
    this.#socket.destroySoon()
  }

  #take(chunk: Buffer | undefined): void {
    if (this.#underWay !== undefined) {
      // One at a time: what follows is read when the one before is answered.
      this.#unread = chunk === undefined ? this.#unread : this.#withUnread(undefined, chunk)
      this.#socket.pause()
      return
    }
    if (this.#unread === undefined) this.#looks = 0
    const bytes = this.#withUnread(undefined, chunk)
    const lane = this.#find(bytes)
    if (lane === undefined) this.#giveAway(bytes)
    else if (lane.gate === null) this.#begin(lane, bytes)
    else {
      this.#underWay = lane
      this.#waiting = bytes
      lane.gate.enter(this.#onTurn)
    }
  }

  /** All that was read and belongs together; nothing of it is unread any more. */
  #withUnread(before: Buffer | undefined, after?: Buffer): Buffer {
    const parts = [before, this.#unread, after].filter((part) => part !== undefined)
    this.#unread = undefined
    const [first] = parts
    return parts.length === 1 && first !== undefined ? first : Buffer.concat(parts)
  }

  #find(bytes: Buffer): Lane | undefined {
    const { lane: direct } = this.#parts
    const line = bytes.toString('latin1', 0, MAX_LINE_BYTES).split('\r\n', 1)[0] ?? ''
    return direct.open && line.endsWith(VERSION) ? direct.find(line.slice(0, -VERSION.length)) : undefined
  }

  #begin(lane: Lane, bytes: Buffer): void {
    this.#underWay = lane
    const { lane: direct, maxHeaderBytes } = this.#parts
    const text = bytes.toString('latin1', 0, maxHeaderBytes)
    const head = readPlainHead(text, text.indexOf('\r\n') + 2, lane.refusedHeaders)
    if (head === undefined || !direct.takes(head.contentLength)) {
      this.#giveAway(bytes)
      return
    }
    const end = head.bodyStart + head.contentLength
    if (bytes.length === end) this.#admit(lane, head, bytes)
    // What follows may only be read by whoever reads this one.
    else if (bytes.length > end) this.#giveAway(bytes)
    // Who is not known to be allowed is refused, or asked about, before a body is waited for (rule M5).
    else if (typeof direct.admit(lane, head.rawHeaders, this) !== 'object') this.#giveAway(bytes)
    else {
      this.#settle(lane)
      this.#unread = bytes
      if (this.#socket.isPaused()) this.#socket.resume()
    }
  }

  #admit(lane: Lane, head: PlainHead, bytes: Buffer): void {
    this.#closes = head.close
    const { lane: direct } = this.#parts
    const run = (exchange: Exchange | undefined): void => {
      if (exchange === undefined) this.#giveAway(bytes)
      else direct.run(exchange, bytes.subarray(head.bodyStart))
    }
    const exchange = direct.admit(lane, head.rawHeaders, this)
    if (exchange === 'ask') void direct.admitAsked(lane, head.rawHeaders, this).then(run)
    else run(exchange)
  }

  #giveAway(bytes: Buffer): void {
    const unread = this.#withUnread(bytes)
    if (this.#underWay !== undefined) this.#settle(this.#underWay)
    if (this.#gone) return
    const socket = this.#socket
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onError)
    socket.off('close', this.#onClose)
    socket.off('drain', this.#onDrain)
    this.#leave()
    this.#parts.giveToNode(socket, unread)
  }

  /** Whatever has become of the request: its place is another's. */
  #settle(lane: Lane): void {
    this.#underWay = undefined
    lane.gate?.leave()
  }

  #leave(): void {
    if (this.#gone) return
    this.#gone = true
    this.#parts.onGone(this)
  }
}
