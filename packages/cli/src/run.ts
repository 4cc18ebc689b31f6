import { ClavigerError } from '@claviger/client'
import type { CodedError } from '@claviger/engine'
import { CommanderError } from 'commander'
import { CommandFailure, EXIT, type ExitCode } from './exit-codes.ts'
import { makePrintable } from './output.ts'
import { createProgram } from './program.ts'

/** Runs one command line and answers its exit code; what went wrong is one line on standard error. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  // A reader that has seen enough, such as `head`, is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  let exitCode: ExitCode = EXIT.ok
  try {
    await createProgram((code) => {
      exitCode = code
    }).parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has said what was wrong, or has shown the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const failure = toFailure(error)
    console.error(`error: ${makePrintable(failure.message)}`)
    return failure.exitCode
  }
}

/** Whatever is not foreseen is said in one line too: a stack helps nobody who typed a command. */
function toFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  if (error instanceof ClavigerError) {
    const missing = error.code === 'unreachable' || error.code === 'unexpected_answer'
    const line = `${error.detail} (${error.code})`
    return new CommandFailure(missing ? EXIT.unreachable : EXIT.refused, line)
  }
  if (isCodedError(error)) {
    const line = `${error.message} (${error.code})`
    return new CommandFailure(error.code === 'invalid_request' ? EXIT.usage : EXIT.refused, line)
  }
  return new CommandFailure(EXIT.refused, error instanceof Error ? error.message : String(error))
}

/** By its name: the class would bring the whole engine with it, which most commands do without. */
function isCodedError(error: unknown): error is CodedError {
  return error instanceof Error && error.name === 'CodedError' && 'code' in error
}
