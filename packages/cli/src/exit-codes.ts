/** What the command ends with, for scripts. */
export const EXIT = {
  ok: 0,
  /** The server, or this machine, said no; of `verify`: the credential may not pass; of `inspect` or `doctor`: a check fails. */
  refused: 1,
  usage: 2,
  unreachable: 3,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_CODES_HELP = `
Exit codes:
  0  done; of verify: the credential may pass; of inspect, doctor: no check fails
  1  refused or failed; of verify: the credential may not pass; of inspect, doctor: a check fails
  2  the command was not given rightly
  3  no Claviger server could be reached`

/** What stops a command with one line for the person who gave it. It holds no secret. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}
