import {
  type Change,
  type FeedEnd,
  type FeedHello,
  type FeedReset,
  formatPosition,
  type Position,
} from '@claviger/verify'

/** A change as it is written to every reader of its project. */
export interface FeedEvent {
  readonly position: Position
  readonly text: string
}

interface Data {
  readonly hello: FeedHello
  readonly reset: FeedReset
  readonly end: FeedEnd
}

/** As server-sent events have it (HTML, section 9.2): JSON holds no line break. */
export function writeChange(change: Change): string {
  return `id: ${formatPosition(change.position)}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`
}

export function writeEvent<Name extends keyof Data>(name: Name, data: Data[Name]): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}

/** Says that the stream lives. */
export const HEARTBEAT = ': \n\n'

/** How soon a reader that lost its stream comes again, until it knows better. */
export const RETRY = 'retry: 1000\n\n'
