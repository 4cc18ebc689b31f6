import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Backlog } from './backlog.ts'

/** A connection that remembers what was asked of it. */
class Connection extends EventEmitter {
  readonly asked: string[] = []
  destroyed = false

  pause(): this {
    this.asked.push('pause')
    return this
  }

  resume(): this {
    this.asked.push('resume')
    return this
  }
}

function enterAll(backlog: Backlog, count: number): Connection[] {
  return Array.from({ length: count }, () => enter(backlog, new Connection()))
}

function enter(backlog: Backlog, connection: Connection): Connection {
  backlog.enter(connection as unknown as Socket)
  return connection
}

function leave(backlog: Backlog, connection: Connection | undefined): void {
  backlog.leave(connection as unknown as Socket)
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn()
}

test('nobody is held back while the server has time', async () => {
  const backlog = new Backlog(3)
  const connections = enterAll(backlog, 3)
  for (const connection of connections) leave(backlog, connection)
  await turns(5)
  expect(connections.flatMap(({ asked }) => asked)).toEqual([])
})

test('with more under way, connections are read from again one a turn, in the order in which they were answered', async () => {
  const backlog = new Backlog(2)
  const connections = enterAll(backlog, 6)
  // Four are answered: all of them while more than two are under way, or others wait.
  for (const connection of connections.slice(0, 4)) leave(backlog, connection)
  await nextTurn()
  expect(connections.map(({ asked }) => asked)).toEqual([['pause'], ['pause'], ['pause'], ['pause'], [], []])
  await turns(10)
  // Two are still under way, so there is no room for any of the four.
  expect(connections.filter(({ asked }) => asked.includes('resume'))).toEqual([])

  const resumed: number[] = []
  for (const [index, connection] of connections.entries())
    connection.resume = () => {
      resumed.push(index)
      return connection
    }
  leave(backlog, connections[4])
  leave(backlog, connections[5])
  await turns(1)
  expect(resumed.length).toBeLessThanOrEqual(1)
  await turns(10)
  expect(resumed).toEqual([0, 1, 2, 3, 4, 5])
})

test('a connection that has ended is not held, and a server that closes reads from all', async () => {
  const backlog = new Backlog(1)
  const [ended, kept, busy] = enterAll(backlog, 3)
  leave(backlog, ended)
  if (ended !== undefined) ended.destroyed = true
  leave(backlog, kept)
  await turns(2)
  expect(ended?.asked).toEqual([])
  expect(kept?.asked).toEqual(['pause'])
  backlog.open()
  expect(kept?.asked).toEqual(['pause', 'resume'])
  leave(backlog, busy)
  await turns(2)
  expect(busy?.asked).toEqual([])
})

test('a connection that has brought its next request is not held, for the rest of it may be still to come', async () => {
  const backlog = new Backlog(1)
  const [eager] = enterAll(backlog, 3)
  if (eager === undefined) throw new TypeError('there is one')
  leave(backlog, eager)
  enter(backlog, eager)
  await turns(5)
  expect(eager.asked).toEqual([])
  leave(backlog, eager)
  await turns(5)
  expect(eager.asked).toEqual(['pause'])
})

test('requests whose connection ends leave with it, answered or not', async () => {
  const backlog = new Backlog(1)
  const [waiting, lost] = enterAll(backlog, 2)
  if (lost === undefined) throw new TypeError('there is one')
  enter(backlog, lost)
  leave(backlog, waiting)
  await turns(5)
  expect(waiting?.asked).toEqual(['pause'])
  lost.emit('close')
  // Of two requests in a row on one connection, the second has no answer that could say that it ended.
  leave(backlog, lost)
  await turns(5)
  expect(waiting?.asked).toEqual(['pause', 'resume'])
})
