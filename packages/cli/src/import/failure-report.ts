import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { CommandFailure, EXIT } from '../exit-codes.ts'

interface FailedLine {
  readonly line: number
  readonly code: string
  readonly detail: string
}

/**
 * The lines that were not imported, one JSON object a line, in a file that its owner alone may read. Nothing of a line
 * is in it but its number. There is no file when there is no such line.
 */
export class FailureReport {
  readonly file: string
  #descriptor: number | undefined

  /** Takes away what an earlier run has left there. */
  constructor(file: string) {
    this.file = file
    try {
      rmSync(file, { force: true })
    } catch {
      throw unwritable(file)
    }
  }

  add(failed: FailedLine): void {
    try {
      this.#descriptor ??= openSync(this.file, 'wx', 0o600)
      writeSync(this.#descriptor, `${JSON.stringify(failed)}\n`)
    } catch {
      throw unwritable(this.file)
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}

function unwritable(file: string): CommandFailure {
  return new CommandFailure(
    EXIT.usage,
    `The report cannot be written to ${file}. Name another file with --report.`,
  )
}
