import type { CreateProjectInput, Project } from '@claviger/client'
import { type Command, InvalidArgumentError } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { printJson, printRecord, printTable } from '../output.ts'
import { addPageOptions } from '../page-options.ts'

interface CreateOptions extends ConnectionOptions {
  readonly keyPrefix?: string
  readonly algorithm?: CreateProjectInput['algorithm']
}

interface ListOptions extends ConnectionOptions {
  readonly limit?: number
  readonly cursor?: string
}

export function addProjects(program: Command): void {
  const projects = program
    .command('projects')
    .helpCommand(false)
    .description('Keep keys, roles, subjects and issuers apart from those of other projects.')
  addCreate(projects)
  addList(projects)
  addRead(projects)
  addChange(projects)
}

function addCreate(projects: Command): void {
  const command = projects
    .command('create')
    .description('Create a project, with an issuer and a signing key of its own.')
    .argument('<name>', 'small letters, digits and hyphens: the last part of its issuer’s address')
    .option('--key-prefix <text>', "what its keys' texts begin with (default: ck)")
    .option('--algorithm <name>', 'what its tokens are signed with (default: RS256)')
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ claviger projects create staging --key-prefix acme_test
  $ claviger keys create "Acme staging" --project staging`,
    )
    .action(async (name: string, { url, project, data, json, ...fields }: CreateOptions) => {
      const created = await connect({ url, project, data }).createProject({ body: { name, ...fields } })
      if (json === true) printJson(created)
      else printProject(created)
    })
}

function addList(projects: Command): void {
  const command = projects.command('list').description('List projects, the oldest first.')
  addPageOptions(command)
  addConnectionOptions(command)
    .addHelpText('after', '\nExample:\n  $ claviger projects list')
    .action(async ({ url, project, data, json, ...query }: ListOptions) => {
      const page = await connect({ url, project, data }).listProjects({ query })
      if (json === true) {
        printJson(page)
        return
      }
      printTable(
        ['NAME', 'ID', 'KEY PREFIX', 'ALGORITHM', 'CREATED'],
        page.items.map((item) => [item.name, item.id, item.keyPrefix, item.algorithm, item.createdAt]),
      )
      if (page.nextCursor !== null) console.log(`\nThere are more: --cursor ${page.nextCursor}`)
    })
}

function addRead(projects: Command): void {
  addConnectionOptions(projects.command('read').description('Show a project.'))
    .argument('<name>', "the project's name")
    .addHelpText('after', '\nExample:\n  $ claviger projects read staging')
    .action(async (name: string, options: ConnectionOptions) => {
      const project = await connect(options).readProject({ path: { name } })
      if (options.json === true) printJson(project)
      else printProject(project)
    })
}

type Caps = Readonly<Record<string, number | null>>

function addChange(projects: Command): void {
  const command = projects
    .command('change')
    .description('Change what a project may hold at most. Only a root key may.')
    .argument('<name>', "the project's name")
    .requiredOption('--cap <name=most>', 'a cap, or `default` in place of its number; repeat it', appendCap)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ claviger projects change staging --cap keys=1000 --cap roles=50
  $ claviger projects change staging --cap keys=default`,
    )
    .action(
      async (name: string, { cap: caps, url, project, data, json }: ConnectionOptions & { cap: Caps }) => {
        const changed = await connect({ url, project, data }).changeProject({
          path: { name },
          body: { caps },
        })
        if (json === true) printJson(changed)
        else printProject(changed)
      },
    )
}

/** `keys=1000` put with the caps that were given before it. */
function appendCap(text: string, before: Caps = {}): Caps {
  const [, cap, most] = /^([A-Za-z]+)=(default|[0-9]{1,10})$/.exec(text) ?? []
  if (cap === undefined) throw new InvalidArgumentError('It must read NAME=NUMBER or NAME=default.')
  return { ...before, [cap]: most === 'default' ? null : Number(most) }
}

function printProject(project: Project): void {
  printRecord([
    ['project', project.name],
    ['id', project.id],
    ['key prefix', project.keyPrefix],
    ['algorithm', project.algorithm],
    ['created', project.createdAt],
    ...Object.entries(project.caps).map(([cap, most]): [string, string] => [`cap ${cap}`, String(most)]),
  ])
}
