import type { Command, Option } from 'commander'

/** One command as a shell has to know it, with what may follow it. */
export interface CompletionNode {
  /** The words that lead to it, separated by blanks; empty: the program itself. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly CompletionOption[]
  /** Words that its arguments may be; empty where they are free. */
  readonly choices: readonly string[]
}

export interface CompletionOption {
  /** Every spelling, as `--help` and `-h`. */
  readonly flags: readonly string[]
  readonly description: string
  /** What must follow it: nothing, some text, one of the choices, or the name of a file or folder. */
  readonly value: 'none' | 'text' | 'choice' | 'file' | 'folder'
  readonly choices: readonly string[]
}

/** All commands, as their help shows them, each after the one that it belongs to. */
export function describeCommands(command: Command, path = ''): CompletionNode[] {
  const help = command.createHelp()
  const children = help.visibleCommands(command)
  const node: CompletionNode = {
    path,
    commands: children.map((child) => ({ name: child.name(), description: child.description() })),
    options: help.visibleOptions(command).map(describeOption),
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
  }
  const below = children.flatMap((child) => describeCommands(child, `${path} ${child.name()}`.trimStart()))
  return [node, ...below]
}

function describeOption(option: Option): CompletionOption {
  return {
    flags: [option.long, option.short].filter((flag) => typeof flag === 'string'),
    description: option.description,
    value: valueKindOf(option),
    choices: option.argChoices ?? [],
  }
}

function valueKindOf(option: Option): CompletionOption['value'] {
  if (!option.required && !option.optional) return 'none'
  if (option.argChoices !== undefined) return 'choice'
  if (option.flags.endsWith('<file>')) return 'file'
  return option.flags.endsWith('<folder>') ? 'folder' : 'text'
}
