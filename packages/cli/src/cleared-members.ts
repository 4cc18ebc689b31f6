import { type Command, Option } from 'commander'
import { parseList } from './option-values.ts'

/** `--clear`, which takes away members that may be null. */
export function clearOption(clearable: readonly string[]): Option {
  return new Option('--clear <members>', `take these away, of ${clearable.join(', ')}`).argParser(parseList)
}

/** The members to send as null. One that cannot be cleared is a mistake of usage. */
export function clearedMembers(
  clear: readonly string[],
  clearable: readonly string[],
  command: Command,
): Record<string, null> {
  const unknown = clear.find((name) => !clearable.includes(name))
  if (unknown !== undefined) command.error(`error: --clear takes ${clearable.join(', ')}, not '${unknown}'.`)
  const camelCase = (name: string): string => name.replaceAll(/-./g, (text) => text.slice(1).toUpperCase())
  return Object.fromEntries(clear.map((name) => [camelCase(name), null]))
}
