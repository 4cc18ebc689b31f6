/**
 * Where a verifier keeps what it knows of its project over a restart, so that a start loads only what has changed
 * since. It is as trusted as the program's own code: whoever can write to it can hide revocations until the next reset.
 */
export interface SnapshotStore {
  /** What was written and appended; undefined: nothing was. */
  read(): Promise<string | undefined>
  /** Replaces it all, at once or not at all. */
  write(text: string): Promise<void>
  /** A piece that was cut short is dropped when it is read. */
  append(text: string): Promise<void>
}
