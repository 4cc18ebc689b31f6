export type Level = 'ok' | 'warning' | 'fault'

/** What one look at an installation found. */
export interface Check {
  /** Stays the same from version to version, for programs. */
  readonly name: string
  readonly level: Level
  /** What is so, and what to do unless it is well. It holds no secret. */
  readonly detail: string
}

export function ok(name: string, detail: string): Check {
  return { name, level: 'ok', detail }
}

export function warning(name: string, detail: string): Check {
  return { name, level: 'warning', detail }
}

export function fault(name: string, detail: string): Check {
  return { name, level: 'fault', detail }
}
