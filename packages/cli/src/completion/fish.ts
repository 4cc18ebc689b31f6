import type { CompletionNode, CompletionOption } from './command-tree.ts'
import { quoteStep, stepsToCommands, stepsToValues } from './walk.ts'

/** The script for fish, 3.4 or later. */
export function fishScript(nodes: readonly CompletionNode[]): string {
  return `# Completion of claviger for fish. Made by: claviger completion fish
function __claviger_at --description 'Whether the words before the cursor lead to this command'
    set -l words (commandline -opc)
    set -e words[1]
    set -l at ''
    set -l awaited ''
    for word in $words
        if test -n "$awaited"
            set awaited ''
            continue
        end
        switch "$at|$word"
${stepsToCommands(nodes)
  .map((step) => `            case ${quoteStep(step)}\n                set at ${quote(step.path)}`)
  .join('\n')}
            case ${stepsToValues(nodes).map(quoteStep).join(' ')}
                set awaited 1
        end
    end
    test "$at" = "$argv[1]"
end
complete -c claviger -f
${nodes.flatMap(completionsOf).join('\n')}
`
}

function completionsOf({ path, commands, options, choices }: CompletionNode): string[] {
  const start = `complete -c claviger -n "__claviger_at ${quote(path)}"`
  return [
    ...commands.map(({ name, description }) => `${start} -a ${name} -d ${quote(description)}`),
    ...choices.map((choice) => `${start} -a ${choice}`),
    ...options.map((option) => `${start} ${optionArguments(option)}`),
  ]
}

function optionArguments({ flags, description, value, choices }: CompletionOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  return [...names, ...VALUE_ARGUMENTS[value](choices), `-d ${quote(description)}`].join(' ')
}

const VALUE_ARGUMENTS: Readonly<
  Record<CompletionOption['value'], (choices: readonly string[]) => readonly string[]>
> = {
  none: () => [],
  text: () => ['-x'],
  choice: (choices) => ['-x', '-a', quote(choices.join(' '))],
  file: () => ['-r', '-F'],
  folder: () => ['-x', '-a', "'(__fish_complete_directories)'"],
}

/** fish reads backslashes within quotes too. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
