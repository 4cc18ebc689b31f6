/** What happens to a verifier at the edge, for logs and alarms. */
export type EdgeEvent =
  /** The stream of changes is open. */
  | { readonly type: 'connected'; readonly node: string }
  /** It has ended, and is opened anew in a moment. */
  | { readonly type: 'disconnected'; readonly reason: string }
  /** There is a lease again: verdicts come from memory. */
  | { readonly type: 'fresh' }
  /** The lease has ended. Each verification asks the server; where it cannot be asked the verdict is `unavailable`. */
  | { readonly type: 'stale'; readonly reason: string }
  /** The server has another history than what is known here, as after a restore: all is loaded anew. */
  | { readonly type: 'reset' }
  /** The server says no, as to a management key that was revoked. */
  | { readonly type: 'refused'; readonly code: string; readonly reason: string }
  /** The snapshot could not be kept, or what was kept could not be read. Nothing depends on it. */
  | { readonly type: 'store_failed'; readonly reason: string }
