import type { Change } from '../changes/change.ts'

/** The data of the event `hello`, the first of `GET /v1/changes` as `text/event-stream`. */
export interface FeedHello {
  /** Another one after each start of the server. */
  readonly node: string
  /** A comment comes at least so often: a stream that is silent for longer is dead. */
  readonly heartbeatSeconds: number
}

/** The data of the event `reset`: the reader's place is not known. It loads a snapshot; the stream ends. */
export interface FeedReset {
  /** `epoch:number`. */
  readonly position: string
}

/** The data of the event `end`: the reader may not read on. */
export interface FeedEnd {
  /** The code of the refusal. */
  readonly code: string
}

/** `GET /v1/changes` as JSON. */
export type ChangesPage =
  | {
      /** In order, without gaps, from right after the place that was asked for. */
      readonly changes: readonly Change[]
      /** `epoch:number`: how far the project is. */
      readonly head: string
      /** True: there are more than these. */
      readonly more: boolean
    }
  | { readonly reset: true; readonly head: string }
