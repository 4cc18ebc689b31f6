import type { KeyShape } from '@claviger/client'
import { type Command, Option } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { parseWholeNumber } from '../option-values.ts'
import { printJson, printRecord, printTable } from '../output.ts'
import { addPageOptions } from '../page-options.ts'

const HASH_ENCODINGS = ['hex', 'base64', 'base64url'] as const

interface PutOptions extends ConnectionOptions {
  readonly prefix: string
  readonly alphabet: string
  readonly length: number
  readonly minLength?: number
  readonly hashEncoding: (typeof HASH_ENCODINGS)[number]
}

interface ListOptions extends ConnectionOptions {
  readonly limit?: number
  readonly cursor?: string
}

export function addKeyShapes(program: Command): void {
  const shapes = program
    .command('key-shapes')
    .helpCommand(false)
    .description('Register how keys look that were issued elsewhere, to import them.')
  addPut(shapes)
  addList(shapes)
  addRead(shapes)
  addDelete(shapes)
}

function addPut(shapes: Command): void {
  addConnectionOptions(
    shapes
      .command('put')
      .description('Register a key shape. It never changes.')
      .argument('<name>', "the shape's name")
      .option('--prefix <text>', 'what each key begins with, its `_` included', '')
      .requiredOption('--alphabet <characters>', 'what comes after it, with ranges: A-Za-z0-9')
      .requiredOption('--length <number>', 'how many characters come after it', parseWholeNumber)
      .option('--min-length <number>', 'how many at least, where it varies a little', parseWholeNumber)
      .addOption(
        new Option('--hash-encoding <encoding>', 'how the SHA-256 of each key is written')
          .choices(HASH_ENCODINGS)
          .makeOptionMandatory(),
      ),
  )
    .addHelpText(
      'after',
      `
Examples:
  $ claviger key-shapes put unkey --prefix acme_ --alphabet 1-9A-HJ-NP-Za-km-z --length 22 \\
      --min-length 16 --hash-encoding base64
  $ claviger key-shapes put old --prefix old_ --alphabet 0-9a-f --length 40 --hash-encoding hex`,
    )
    .action(async (name: string, { url, project, data, json, ...body }: PutOptions) => {
      const shape = await connect({ url, project, data }).putKeyShape({ path: { name }, body })
      if (json === true) printJson(shape)
      else printKeyShape(shape)
    })
}

function addList(shapes: Command): void {
  const command = shapes.command('list').description('List key shapes by name.')
  addPageOptions(command)
  addConnectionOptions(command)
    .addHelpText('after', '\nExample:\n  $ claviger key-shapes list')
    .action(async ({ url, project, data, json, ...query }: ListOptions) => {
      const page = await connect({ url, project, data }).listKeyShapes({ query })
      if (json === true) return printJson(page)
      printTable(
        ['NAME', 'PREFIX', 'LENGTH', 'HASH', 'BITS', 'ALPHABET'],
        page.items.map((shape) => [
          shape.name,
          shape.prefix,
          lengthOf(shape),
          shape.hashEncoding,
          String(shape.randomBits),
          shape.alphabet,
        ]),
      )
      if (page.nextCursor !== null) console.log(`\nThere are more: --cursor ${page.nextCursor}`)
    })
}

function addRead(shapes: Command): void {
  addConnectionOptions(shapes.command('read').description('Show a key shape.'))
    .argument('<name>', "the shape's name")
    .addHelpText('after', '\nExample:\n  $ claviger key-shapes read unkey')
    .action(async (name: string, options: ConnectionOptions) => {
      const shape = await connect(options).readKeyShape({ path: { name } })
      if (options.json === true) printJson(shape)
      else printKeyShape(shape)
    })
}

function addDelete(shapes: Command): void {
  addConnectionOptions(
    shapes
      .command('delete')
      .description('Delete a key shape, once no key lives that is known by a text of it.'),
  )
    .argument('<name>', "the shape's name")
    .addHelpText('after', '\nExample:\n  $ claviger key-shapes delete unkey')
    .action(async (name: string, options: ConnectionOptions) => {
      await connect(options).deleteKeyShape({ path: { name } })
      if (options.json !== true) console.log('The key shape is gone.')
    })
}

function printKeyShape(shape: KeyShape): void {
  printRecord([
    ['key shape', shape.name],
    ['prefix', shape.prefix === '' ? null : shape.prefix],
    ['alphabet', shape.alphabet],
    ['length', lengthOf(shape)],
    ['hash', `SHA-256, ${shape.hashEncoding}`],
    ['random bits', String(shape.randomBits)],
    ['created', shape.createdAt],
  ])
}

function lengthOf({ minLength, length }: KeyShape): string {
  return minLength === length ? String(length) : `${minLength} to ${length}`
}
