import type { CompletionNode, CompletionOption } from './command-tree.ts'
import { quote, quoteStep, stepsToCommands, stepsToValues } from './walk.ts'

/** The script for zsh: to be sourced after \`compinit\`, or saved as \`_claviger\` in a folder of \`fpath\`. */
export function zshScript(nodes: readonly CompletionNode[]): string {
  const values = stepsToValues(nodes)
  return `#compdef claviger
# Completion of claviger for zsh. Made by: claviger completion zsh
_claviger() {
  local at='' before='' word='' awaited=''
  local -i index
  local -a commands options
  for ((index = 2; index < CURRENT; index++)); do
    word=\${words[index]}
    if [[ -n $awaited ]]; then awaited=''; continue; fi
    case "$at|$word" in
${stepsToCommands(nodes)
  .map((step) => `      ${quoteStep(step)}) at=${quote(step.path)} ;;`)
  .join('\n')}
      ${values.map(quoteStep).join('|')}) awaited=1 before=$word ;;
    esac
  done
  if [[ -z $awaited && \${words[CURRENT]} == --*=* ]]; then
    awaited=1 before=\${words[CURRENT]%%=*}
    compset -P '*='
  fi
  if [[ -n $awaited ]]; then
    case "$at|$before" in
${values.flatMap((step) => valueCase(quoteStep(step), step.option)).join('\n')}
    esac
    return
  fi
  case "$at" in
${nodes.map(nodeCase).join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]] || (( ! \${#commands} )); then
    _describe -o option options
  else
    _describe command commands
  fi
}
if [[ \${zsh_eval_context[-1]} == loadautofunc ]]; then
  _claviger "$@"
else
  compdef _claviger claviger
fi
`
}

function valueCase(step: string, { value, choices }: CompletionOption): string[] {
  if (value === 'choice') return [`      ${step}) compadd -- ${choices.map(quote).join(' ')} ;;`]
  if (value === 'file') return [`      ${step}) _files ;;`]
  return value === 'folder' ? [`      ${step}) _files -/ ;;`] : []
}

function nodeCase({ path, commands, options, choices }: CompletionNode): string {
  const words = [...commands.map(described), ...choices.map((choice) => quote(choice))].join(' ')
  const flags = options.flatMap(({ flags, description }) =>
    flags.map((name) => described({ name, description })),
  )
  return `    ${quote(path)}) commands=(${words}) options=(${flags.join(' ')}) ;;`
}

function described({ name, description }: { name: string; description: string }): string {
  return quote(`${name}:${description}`)
}
