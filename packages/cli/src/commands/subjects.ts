import { ClavigerError, type Subject } from '@claviger/client'
import type { Command } from 'commander'
import { clearedMembers, clearOption } from '../cleared-members.ts'
import { addConnectionOptions, type ConnectionOptions, connect } from '../connection.ts'
import { addLimitOptions, type LimitFlags, limitLines, limitMembers } from '../limit-options.ts'
import { parseJsonObject, parseList } from '../option-values.ts'
import { printJson, printRecord, printTable } from '../output.ts'
import { addPageOptions } from '../page-options.ts'

interface RecordOptions extends ConnectionOptions, LimitFlags {
  readonly roles?: string[]
  readonly permissions?: string[]
  readonly disabled?: boolean
  readonly metadata?: Record<string, unknown>
}

interface ChangeOptions extends RecordOptions {
  readonly clear?: string[]
}

interface ListOptions extends ConnectionOptions {
  readonly disabled?: boolean
  readonly limit?: number
  readonly cursor?: string
}

/** What `subjects change --clear` can take away: the members that may be null. */
const CLEARABLE = ['roles', 'permissions', 'limits', 'quota'] as const

export function addSubjects(program: Command): void {
  const subjects = program
    .command('subjects')
    .helpCommand(false)
    .description('Bound, disable or describe those for whom credentials speak.')
  addPut(subjects)
  addChange(subjects)
  addDisable(subjects)
  addEnable(subjects)
  addList(subjects)
  addRead(subjects)
  addDelete(subjects)
}

function addPut(subjects: Command): void {
  const command = subjects
    .command('put')
    .description("Create a subject's record, or replace it. A record bounds all credentials of the subject.")
    .argument('<subject>', 'who the credentials speak for')
    .option('--disabled', 'refuse every credential of the subject')
  addRecordOptions(command)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Roles and permissions that are not named bound nothing; an empty list, given as "", permits nothing.

Examples:
  $ claviger subjects put team-7 --roles reader,writer
  $ claviger subjects put acme --quota 100000/monthly
  $ claviger subjects put alice --metadata '{"plan":"pro"}'`,
    )
    .action(async (subject: string, { url, project, data, json, limit, quota, ...fields }: RecordOptions) => {
      const body = { ...fields, ...limitMembers({ limit, quota }) }
      const record = await connect({ url, project, data }).putSubject({ path: { subject }, body })
      if (json === true) printJson(record)
      else printSubject(record)
    })
}

function addChange(subjects: Command): void {
  const command = subjects
    .command('change')
    .description("Change a subject's record. What is not named stays as it is.")
    .argument('<subject>', 'who the credentials speak for')
    .addOption(clearOption(CLEARABLE))
  addRecordOptions(command)
  addConnectionOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ claviger subjects change team-7 --roles reader
  $ claviger subjects change team-7 --clear roles,permissions`,
    )
    .action(
      async (
        subject: string,
        { url, project, data, json, limit, quota, clear = [], ...fields }: ChangeOptions,
        self: Command,
      ) => {
        const body = {
          ...fields,
          ...limitMembers({ limit, quota }),
          ...clearedMembers(clear, CLEARABLE, self),
        }
        const record = await connect({ url, project, data }).patchSubject({ path: { subject }, body })
        if (json === true) printJson(record)
        else printSubject(record)
      },
    )
}

function addDisable(subjects: Command): void {
  addConnectionOptions(
    subjects
      .command('disable')
      .description('Refuse every credential of a subject until it is enabled again.'),
  )
    .argument('<subject>', 'who the credentials speak for; it need not have a record yet')
    .addHelpText('after', '\nExample:\n  $ claviger subjects disable alice')
    .action(async (subject: string, options: ConnectionOptions) => {
      const request = { path: { subject }, body: { disabled: true } }
      const client = connect(options)
      const record = await client.patchSubject(request).catch((error: unknown) => {
        if (error instanceof ClavigerError && error.code === 'not_found') return client.putSubject(request)
        throw error
      })
      if (options.json === true) printJson(record)
      else printSubject(record)
    })
}

function addEnable(subjects: Command): void {
  addConnectionOptions(subjects.command('enable').description('Let the credentials of a subject work again.'))
    .argument('<subject>', 'who the credentials speak for')
    .addHelpText('after', '\nExample:\n  $ claviger subjects enable alice')
    .action(async (subject: string, options: ConnectionOptions) => {
      const record = await connect(options).patchSubject({ path: { subject }, body: { disabled: false } })
      if (options.json === true) printJson(record)
      else printSubject(record)
    })
}

function addList(subjects: Command): void {
  const command = subjects
    .command('list')
    .description('List the subjects that have a record.')
    .option('--disabled', 'those that are disabled')
    .option('--no-disabled', 'those that are not')
  addPageOptions(command)
  addConnectionOptions(command)
    .addHelpText('after', '\nExamples:\n  $ claviger subjects list\n  $ claviger subjects list --disabled')
    .action(async ({ url, project, data, json, ...query }: ListOptions) => {
      const page = await connect({ url, project, data }).listSubjects({ query })
      if (json === true) {
        printJson(page)
        return
      }
      printTable(
        ['SUBJECT', 'ROLES', 'PERMISSIONS', 'DISABLED', 'CHANGED'],
        page.items.map((item) => [
          item.subject,
          item.roles ?? 'not bounded',
          item.permissions ?? 'not bounded',
          item.disabled,
          item.changedAt,
        ]),
      )
      if (page.nextCursor !== null) console.log(`\nThere are more: --cursor ${page.nextCursor}`)
    })
}

function addRead(subjects: Command): void {
  addConnectionOptions(subjects.command('read').description("Show a subject's record."))
    .argument('<subject>', 'who the credentials speak for')
    .addHelpText('after', '\nExample:\n  $ claviger subjects read alice')
    .action(async (subject: string, options: ConnectionOptions) => {
      const record = await connect(options).readSubject({ path: { subject } })
      if (options.json === true) printJson(record)
      else printSubject(record)
    })
}

function addDelete(subjects: Command): void {
  addConnectionOptions(
    subjects
      .command('delete')
      .description("Delete a subject's record: nothing bounds its credentials any more, which live on."),
  )
    .argument('<subject>', 'who the credentials speak for')
    .addHelpText('after', '\nExample:\n  $ claviger subjects delete alice')
    .action(async (subject: string, options: ConnectionOptions) => {
      await connect(options).deleteSubject({ path: { subject } })
      if (options.json !== true) console.log('The record is gone.')
    })
}

function addRecordOptions(command: Command): void {
  command
    .option('--roles <names>', 'roles that its credentials may use, separated by commas', parseList)
    .option('--permissions <list>', 'permissions resource:action that they may use', parseList)
    .option('--metadata <json>', 'a JSON object that verifiers are told', parseJsonObject)
  addLimitOptions(command)
}

function printSubject(subject: Subject): void {
  printRecord([
    ['subject', subject.subject],
    ['roles', subject.roles ?? 'not bounded'],
    ['permissions', subject.permissions ?? 'not bounded'],
    ['disabled', subject.disabled],
    ...limitLines(subject),
    ['metadata', JSON.stringify(subject.metadata)],
    ['created', subject.createdAt],
    ['changed', subject.changedAt],
  ])
}
