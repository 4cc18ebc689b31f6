import type { ReadUsageData } from '@claviger/client'
import { type Command, Option } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { parseWholeNumber } from '../option-values.ts'
import { printJson } from '../output.ts'
import { printUsage } from '../show-usage.ts'
import { exportUsage, USAGE_FORMATS, type UsageFormat } from '../usage-export.ts'

type Query = NonNullable<ReadUsageData['query']>

interface UsageOptions extends ConnectionOptions, Omit<Query, 'keyId' | 'groupBy' | 'orderBy'> {
  readonly key?: string
  readonly by?: string
  readonly top?: number
  readonly format?: UsageFormat
}

export function addUsage(program: Command): void {
  const command = program
    .command('usage')
    .description('See who was verified, refused or given tokens, how often, when and from where.')
    .option(
      '--by <groups>',
      'one or several of time, key, subject, outcome, tag, ip, kind, with commas between (default: time)',
    )
    .option('--top <number>', 'only the busiest, as many as this', parseWholeNumber)
    .addOption(
      new Option('--resolution <span>', 'how long the counted spans are (default: hour)').choices([
        'minute',
        'hour',
        'day',
      ]),
    )
    .option('--from <time>', 'spans that begin at this time or later (default: the last 24)')
    .option('--to <time>', 'spans that begin before this time')
    .addOption(
      new Option('--event <what>', 'what is counted (default: verification)').choices([
        'verification',
        'mint',
        'session',
        'refresh',
      ]),
    )
    .option('--key <id>', 'of this key, or of tokens that this key asked for')
    .option('--subject <name>', 'of this subject')
    .option('--outcome <code>', '`ok`, or the code of a refusal such as revoked')
    .option('--tag <tag>', 'that carried this tag')
    .option('--ip <address>', 'from this client address')
    .addOption(new Option('--kind <kind>', 'of this kind of credential').choices(['key', 'token']))
    .option('--limit <number>', 'how many at most (default: 100)', parseWholeNumber)
    .option('--cursor <text>', 'where the page before ended')
    .addOption(
      new Option('--format <format>', 'write all of it to standard output; csv is for spreadsheets').choices(
        USAGE_FORMATS,
      ),
    )
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ claviger usage --key key_0123 --by time,outcome --resolution day --from 2030-01-01T00:00:00Z
  $ claviger usage --by ip --outcome unknown --top 10
  $ claviger usage --by key,subject --event mint
  $ claviger usage --by time,key --resolution day --format csv > usage.csv`,
    )
    .action(async ({ url, project, data, json, ...options }: UsageOptions) => {
      const { key, by, top, format, ...filters } = options
      const query: Query = {
        ...filters,
        ...(key === undefined ? {} : { keyId: key }),
        ...(by === undefined ? {} : { groupBy: by }),
        ...(top === undefined ? {} : { orderBy: 'count', limit: top }),
      }
      const client = connect({ url, project, data })
      if (format !== undefined) return exportUsage(client, { query, format })
      const page = await client.readUsage({ query })
      if (json === true) printJson(page)
      else printUsage(page, by ?? 'time')
    })
}
