import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { CommandFailure, EXIT } from './exit-codes.ts'

/**
 * A secret from a file, or for `-` from standard input. It is never an argument itself: arguments stand in the shell's
 * history, and every user of the machine can list them. `what` names it for a person.
 */
export async function readSecret(file: string, what: string): Promise<string> {
  let secret: string
  try {
    secret = file === '-' ? await text(process.stdin) : readFileSync(file, 'utf8')
  } catch {
    throw new CommandFailure(EXIT.usage, `The file of ${what} cannot be read.`)
  }
  if (secret.trim() !== '') return secret
  throw new CommandFailure(EXIT.usage, `There is nothing in the file of ${what}.`)
}
