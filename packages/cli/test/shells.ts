import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Completes command lines, each with the cursor at its end, in a real shell that has read the script. */
export type Complete = (folder: string, script: string, lines: readonly string[]) => string[][]

const END = '@@'

/** Calls the function that the script registered, as bash does when Tab is pressed. */
export const completeInBash: Complete = (folder, script, lines) => {
  const calls = lines.map((line) => {
    // bash hands over an = as a word of its own.
    const words = line.replaceAll(/(--[a-z-]+)=/g, '$1 = ').split(' ')
    return `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length - 1}
$function claviger; printf '%s\\n' "\${COMPREPLY[@]}" '${END}'`
  })
  const find = 'function=$(complete -p claviger | sed "s/.*-F \\([^ ]*\\).*/\\1/")'
  return answersOf(run('bash', ['--norc', '-c', [`source ${script}`, find, ...calls].join('\n')], folder))
}

/** Asks fish for what it would offer. */
export const completeInFish: Complete = (folder, script, lines) => {
  const calls = lines.map((line) => `complete -C '${line}'; echo '${END}'`)
  const output = run('fish', ['--no-config', '-c', [`source ${script}`, ...calls].join('\n')], folder)
  return answersOf(output.replaceAll(/\t.*/g, ''))
}

/** Types into an interactive zsh on a terminal, and takes the words that are then on it: offered or completed. */
export const completeInZsh: Complete = (folder, script, lines) => {
  const setUp = `PROMPT='' LISTMAX=10000; stty columns 120 rows 200
autoload -Uz compinit; compinit -u -D
source ${script}
show() { print -r -- "$BUFFER${END}"; BUFFER='' }
zle -N show; bindkey '^O' show
print ready
`
  writeFileSync(join(folder, 'set-up.zsh'), setUp)
  const program = `zmodload zsh/zpty; zpty shell env TERM=dumb zsh -f -i
zpty -w shell 'source ./set-up.zsh'; zpty -r shell seen '*ready*'
${lines.map((line) => `zpty -w -n shell '${line}'$'\\t\\x0f'; zpty -r shell seen '*${END}*'; print -r -- "$seen"`).join('\n')}
zpty -d shell
`
  const answers = run('zsh', ['-f', '-c', program], folder).split(END)
  return answers.slice(0, lines.length).map((answer) => answer.split(/\s+/))
}

function run(shell: string, args: readonly string[], folder: string): string {
  const environment = { PATH: process.env.PATH, HOME: folder, LC_ALL: 'C.UTF-8' }
  const { stdout, stderr, status } = spawnSync(shell, args, {
    cwd: folder,
    env: environment,
    encoding: 'utf8',
    timeout: 25_000,
  })
  if (status !== 0 || stderr !== '') throw new Error(`${shell} ended with ${status}: ${stderr}${stdout}`)
  return stdout
}

/** The lines between the marks, in no order. */
function answersOf(output: string): string[][] {
  return output
    .split(`${END}\n`)
    .slice(0, -1)
    .map((answer) => answer.split('\n').filter((word) => word !== ''))
}

export function hasShell(shell: string): boolean {
  return spawnSync(shell, ['--version']).status === 0
}

/** Where a script is written to be sourced. */
export function scriptIn(folder: string, shell: string): string {
  return join(folder, `claviger.${shell}`)
}
