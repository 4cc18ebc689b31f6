import type { Command } from './command.ts'

/** Any set of named commands. */
export type CommandMap = Readonly<Record<string, Command<never, unknown>>>

/**
 * Every command, by the name that `Writer.run` is called with. The writer thread runs no other.
 * A line is `'create-key': createKey`; arguments and result are checked by these types on the caller's side.
 */
export const commands = {} as const satisfies CommandMap

export type Commands = typeof commands

export type ArgsOf<Named> = Named extends Command<infer Args, unknown> ? Args : never
export type ResultOf<Named> = Named extends Command<never, infer Result> ? Result : never
