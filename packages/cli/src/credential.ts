import { text } from 'node:stream/consumers'
import { CommandFailure, EXIT } from './exit-codes.ts'

/**
 * A credential as an argument, or for `-` from standard input: arguments stand in the shell's history, and every user
 * of the machine can list them.
 */
export async function readCredential(argument: string): Promise<string> {
  const credential = argument === '-' ? (await text(process.stdin)).trim() : argument
  if (credential !== '') return credential
  throw new CommandFailure(EXIT.usage, 'The credential is empty.')
}
