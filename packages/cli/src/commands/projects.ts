import type { CreateProjectInput, Project } from '@claviger/client'
import type { Command } from 'commander'
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

function printProject(project: Project): void {
  printRecord([
    ['project', project.name],
    ['id', project.id],
    ['key prefix', project.keyPrefix],
    ['algorithm', project.algorithm],
    ['created', project.createdAt],
  ])
}
