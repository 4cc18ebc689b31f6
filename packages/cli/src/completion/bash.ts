import type { CompletionNode, CompletionOption } from './command-tree.ts'
import { quote, quoteStep, stepsToCommands, stepsToValues } from './walk.ts'

/** The script for bash, 3.2 or later. */
export function bashScript(nodes: readonly CompletionNode[]): string {
  const values = stepsToValues(nodes)
  return `# Completion of claviger for bash. Made by: claviger completion bash
_claviger() {
  local IFS=$' \\t\\n' at= before= word index awaited= commands= options=
  local current=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    # bash takes --option=value apart.
    [[ -n $awaited && $word == '=' ]] && continue
    if [[ -n $awaited ]]; then awaited=; continue; fi
    case "$at|$word" in
${stepsToCommands(nodes)
  .map((step) => `      ${quoteStep(step)}) at=${quote(step.path)} ;;`)
  .join('\n')}
      ${values.map(quoteStep).join('|')}) awaited=1 before=$word ;;
    esac
  done
  if [[ -n $awaited ]]; then
    [[ $current == '=' ]] && current=
    case "$at|$before" in
${values.flatMap((step) => valueCase(quoteStep(step), step.option)).join('\n')}
    esac
    return
  fi
  case "$at" in
${nodes.map(nodeCase).join('\n')}
  esac
  if [[ $current == -* || -z $commands ]]; then commands="$commands $options"; fi
  COMPREPLY=($(compgen -W "$commands" -- "$current"))
}
complete -F _claviger claviger
`
}

function valueCase(step: string, { value, choices }: CompletionOption): string[] {
  if (value === 'choice') {
    return [`      ${step}) COMPREPLY=($(compgen -W ${quote(choices.join(' '))} -- "$current")) ;;`]
  }
  if (value !== 'file' && value !== 'folder') return []
  const kind = value === 'file' ? '-f' : '-d'
  const names = `IFS=$'\\n'; COMPREPLY=($(compgen ${kind} -- "$current"))`
  return [`      ${step}) compopt -o filenames 2>/dev/null; ${names} ;;`]
}

function nodeCase({ path, commands, options, choices }: CompletionNode): string {
  const words = [...commands.map(({ name }) => name), ...choices].join(' ')
  const flags = options.flatMap((option) => option.flags).join(' ')
  return `    ${quote(path)}) commands=${quote(words)} options=${quote(flags)} ;;`
}
