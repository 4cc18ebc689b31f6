import { Argument, type Command } from 'commander'
import { bashScript } from '../completion/bash.ts'
import { type CompletionNode, describeCommands } from '../completion/command-tree.ts'
import { fishScript } from '../completion/fish.ts'
import { zshScript } from '../completion/zsh.ts'
import { addStartSettings } from './start.ts'

type Shell = 'bash' | 'zsh' | 'fish'

const SCRIPTS: Readonly<Record<Shell, (nodes: readonly CompletionNode[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('Print a script that lets a shell complete commands and options with the Tab key.')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      `
The script is made from the commands of this version: source it at each start of the shell, and it is
never behind.

Examples:
  $ echo 'source <(claviger completion bash)' >> ~/.bashrc
  $ echo 'source <(claviger completion zsh)' >> ~/.zshrc      # after the line with compinit
  $ echo 'claviger completion fish | source' >> ~/.config/fish/config.fish`,
    )
    .action(async (shell: Shell) => {
      await addStartSettings(program)
      process.stdout.write(SCRIPTS[shell](describeCommands(program)))
    })
}
