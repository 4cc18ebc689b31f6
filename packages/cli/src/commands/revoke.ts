import { type Command, Option } from 'commander'
import { awaitReceipt, settleReceipt } from '../await-receipt.ts'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { readCredential } from '../credential.ts'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { parseWholeNumber } from '../option-values.ts'
import { printJson } from '../output.ts'
import type { SetExitCode } from '../program.ts'
import { printReceipt } from '../show-receipt.ts'

const DEFAULT_WAIT_SECONDS = 30

interface RevokeOptions extends ConnectionOptions {
  readonly keyId?: string
  readonly tokenId?: string
  readonly sessionId?: string
  readonly subject?: string
  readonly clientId?: string
  readonly signingKeyId?: string
  readonly everything?: true
  readonly only?: 'keys' | 'tokens'
  readonly ban?: boolean
  readonly issuedBefore?: string
  readonly keepIssued?: boolean
  readonly reason?: string
  readonly wait?: number | true
}

export function addRevoke(program: Command, setExitCode: SetExitCode): void {
  addConnectionOptions(
    program
      .command('revoke')
      .description(
        'Revoke one credential or session, or all so far of a subject, a client, a signing key or the project.',
      )
      .argument('[credential]', 'the text of a key, a token or a refresh token; `-`: from standard input')
      .option('--key-id <id>', 'a key')
      .option('--token-id <id>', 'a token, by its jti')
      .option('--session-id <id>', 'a session, and every token that was issued in it')
      .option('--subject <id>', 'whatever speaks for this subject')
      .option('--client-id <id>', 'the tokens of this client; the id of the key that minted them')
      .option('--signing-key-id <id>', 'whatever this key has signed; the next key takes over')
      .option('--everything', 'every key and token of the project')
      .addOption(new Option('--only <kind>', 'spare the others').choices(['keys', 'tokens']))
      .option('--ban', 'revoke what is issued later too, until it is lifted')
      .option('--issued-before <time>', 'spare what was issued later')
      .option('--keep-issued', 'of a key: the tokens that name it as their client live on')
      .option('--reason <text>', 'for the record')
      .option(
        '--wait [seconds]',
        'return when no verifier anywhere can accept it any more (30 seconds at most, unless you say; without this option 1)',
        parseWholeNumber,
      ),
  )
    .addHelpText(
      'after',
      `
Examples:
  $ claviger revoke - < credential.txt
  $ claviger revoke --subject alice --reason "left the company"
  $ claviger revoke --everything --only tokens
  $ claviger revoke - --wait < stolen.txt`,
    )
    .action(async (argument: string | undefined, options: RevokeOptions) => {
      const { url, project, data, json, wait, ...fields } = options
      requireOneTarget(argument, fields)
      const credential = argument === undefined ? undefined : await readCredential(argument)
      const client = connect({ url, project, data })
      const made = await client.createRevocation({ body: { credential, ...fields } })
      const receipt =
        wait === undefined
          ? await settleReceipt(client, made)
          : await awaitReceipt(client, made, wait === true ? DEFAULT_WAIT_SECONDS : wait)
      if (wait !== undefined && !receipt.effective) setExitCode(EXIT.refused)
      if (json === true) printJson(receipt)
      else printReceipt(receipt)
    })
}

/** What is to be revoked must have been said: nothing here is taken from the environment. */
function requireOneTarget(argument: string | undefined, options: RevokeOptions): void {
  const { keyId, tokenId, sessionId, subject, clientId, signingKeyId, everything } = options
  const targets = [argument, keyId, tokenId, sessionId, subject, clientId, signingKeyId, everything]
  if (targets.filter((target) => target !== undefined).length === 1) return
  throw new CommandFailure(
    EXIT.usage,
    'Name one thing to revoke: a credential, --key-id, --token-id, --session-id, --subject, --client-id, --signing-key-id or --everything.',
  )
}
