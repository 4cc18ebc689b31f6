import type { Audience, PutAudienceInput } from '@claviger/client'
import type { Command } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { parseJsonObject, parseWholeNumber } from '../option-values.ts'
import { printJson, printRecord, printTable } from '../output.ts'
import { addPageOptions } from '../page-options.ts'

interface ListOptions extends ConnectionOptions {
  readonly limit?: number
  readonly cursor?: string
}

interface PutOptions extends ConnectionOptions {
  readonly ttlSeconds?: number
  readonly algorithm?: PutAudienceInput['algorithm']
  readonly claims?: Record<string, unknown>
}

export function addAudiences(program: Command): void {
  const audiences = program
    .command('audiences')
    .helpCommand(false)
    .description('What tokens for an audience get unless the call says otherwise.')
  addPut(audiences)
  addList(audiences)
  addRead(audiences)
  addDelete(audiences)
}

function addPut(audiences: Command): void {
  const command = audiences
    .command('put')
    .description("Write an audience's defaults in place of those before; what is not given is not set.")
    .argument('<audience>', 'the service, as its verifiers look for it in `aud`')
    .option('--ttl-seconds <seconds>', 'how long its tokens live', parseWholeNumber)
    .option('--algorithm <name>', 'what they are signed with, such as ES256')
    .option('--claims <json>', 'a JSON object of claims that they carry', parseJsonObject)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ claviger audiences put https://api.example.com --ttl-seconds 300
  $ claviger audiences put https://api.example.com --algorithm ES256 --claims '{"region": "eu"}'`,
    )
    .action(async (audience: string, { url, project, data, json, ...body }: PutOptions) => {
      const path = { audience }
      const stored = await connect({ url, project, data }).putAudience({ path, body })
      if (json === true) printJson(stored)
      else printAudience(stored)
    })
}

function addList(audiences: Command): void {
  const command = audiences.command('list').description('List the audiences that have defaults, by name.')
  addPageOptions(command)
  addConnectionOptions(command)
    .addHelpText('after', '\nExample:\n  $ claviger audiences list')
    .action(async ({ url, project, data, json, ...query }: ListOptions) => {
      const page = await connect({ url, project, data }).listAudiences({ query })
      if (json === true) return printJson(page)
      printTable(
        ['AUDIENCE', 'TTL SECONDS', 'ALGORITHM', 'CLAIMS'],
        page.items.map((item) => [item.audience, textOf(item.ttlSeconds), item.algorithm, claimsOf(item)]),
      )
      if (page.nextCursor !== null) console.log(`\nThere are more: --cursor ${page.nextCursor}`)
    })
}

function addRead(audiences: Command): void {
  addConnectionOptions(audiences.command('read').description("Show an audience's defaults."))
    .argument('<audience>', 'the service')
    .addHelpText('after', '\nExample:\n  $ claviger audiences read https://api.example.com')
    .action(async (audience: string, options: ConnectionOptions) => {
      const stored = await connect(options).readAudience({ path: { audience } })
      if (options.json === true) printJson(stored)
      else printAudience(stored)
    })
}

function addDelete(audiences: Command): void {
  addConnectionOptions(
    audiences.command('delete').description("Delete an audience's defaults; its tokens keep what they have."),
  )
    .argument('<audience>', 'the service')
    .addHelpText('after', '\nExample:\n  $ claviger audiences delete https://api.example.com')
    .action(async (audience: string, options: ConnectionOptions) => {
      await connect(options).deleteAudience({ path: { audience } })
      if (options.json !== true) console.log('The defaults are gone.')
    })
}

function printAudience(audience: Audience): void {
  printRecord([
    ['audience', audience.audience],
    ['ttl seconds', textOf(audience.ttlSeconds)],
    ['algorithm', audience.algorithm],
    ['claims', claimsOf(audience)],
    ['changed', audience.changedAt],
  ])
}

function claimsOf({ claims }: Audience): string | null {
  return Object.keys(claims).length === 0 ? null : JSON.stringify(claims)
}

function textOf(seconds: number | null): string | null {
  return seconds === null ? null : String(seconds)
}
