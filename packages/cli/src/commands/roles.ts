import type { Role } from '@claviger/client'
import type { Command } from 'commander'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { printJson, printRecord, printTable } from '../output.ts'
import { addPageOptions } from '../page-options.ts'

interface ListOptions extends ConnectionOptions {
  readonly limit?: number
  readonly cursor?: string
}

export function addRoles(program: Command): void {
  const roles = program.command('roles').helpCommand(false).description('Name sets of permissions.')
  addPut(roles)
  addList(roles)
  addRead(roles)
  addDelete(roles)
}

function addPut(roles: Command): void {
  addConnectionOptions(
    roles
      .command('put')
      .description('Create a role, or replace its permissions for all who have it.')
      .argument('<name>', "the role's name")
      .argument('[permissions...]', 'permissions resource:action; none: it permits nothing'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger roles put reader documents:read\n  $ claviger roles put editor documents:read documents:write',
    )
    .action(async (name: string, permissions: string[], options: ConnectionOptions) => {
      const role = await connect(options).putRole({ path: { name }, body: { permissions } })
      if (options.json === true) printJson(role)
      else printRole(role)
    })
}

function addList(roles: Command): void {
  const command = roles.command('list').description('List roles by name.')
  addPageOptions(command)
  addConnectionOptions(command)
    .addHelpText('after', '\nExample:\n  $ claviger roles list')
    .action(async ({ url, project, data, json, ...query }: ListOptions) => {
      const page = await connect({ url, project, data }).listRoles({ query })
      if (json === true) return printJson(page)
      printTable(
        ['NAME', 'PERMISSIONS', 'CHANGED'],
        page.items.map((role) => [role.name, role.permissions, role.changedAt]),
      )
      if (page.nextCursor !== null) console.log(`\nThere are more: --cursor ${page.nextCursor}`)
    })
}

function addRead(roles: Command): void {
  addConnectionOptions(roles.command('read').description('Show a role.'))
    .argument('<name>', "the role's name")
    .addHelpText('after', '\nExample:\n  $ claviger roles read reader')
    .action(async (name: string, options: ConnectionOptions) => {
      const role = await connect(options).readRole({ path: { name } })
      if (options.json === true) printJson(role)
      else printRole(role)
    })
}

function addDelete(roles: Command): void {
  addConnectionOptions(
    roles.command('delete').description('Delete a role: it confers nothing, and its name is not used again.'),
  )
    .argument('<name>', "the role's name")
    .addHelpText('after', '\nExample:\n  $ claviger roles delete reader')
    .action(async (name: string, options: ConnectionOptions) => {
      await connect(options).deleteRole({ path: { name } })
      if (options.json !== true) console.log('The role is gone.')
    })
}

function printRole(role: Role): void {
  printRecord([
    ['role', role.name],
    ['permissions', role.permissions],
    ['changed', role.changedAt],
  ])
}
