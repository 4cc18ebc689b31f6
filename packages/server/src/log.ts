import { formatInstant } from '@claviger/verify'
import { type Logger, pino } from 'pino'
import type { Configuration } from './configuration.ts'
import { redact } from './redaction.ts'

/** Where log lines go; each is one JSON object and a line feed. */
export interface LogTarget {
  write(line: string): void
}

/**
 * The server's log: JSON lines, every one redacted as a whole after it was put together, so that no serialiser,
 * error message or stack can carry a credential past it.
 */
export function createLog(level: Configuration['logLevel'], target: LogTarget): Logger {
  return pino(
    { level, base: undefined, timestamp: () => `,"time":"${formatInstant(Date.now())}"` },
    { write: (line: string) => target.write(redact(line)) },
  )
}
