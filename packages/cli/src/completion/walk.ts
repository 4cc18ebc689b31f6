import type { CompletionNode, CompletionOption } from './command-tree.ts'

/** A word that may come after a path, as the shells' `case` has it: `keys create|--roles`. */
export interface Step {
  readonly after: string
  readonly word: string
}

/** Words that lead to another command, with the path that they lead to. */
export function stepsToCommands(nodes: readonly CompletionNode[]): (Step & { readonly path: string })[] {
  return nodes.flatMap(({ path, commands }) =>
    commands.map(({ name }) => ({ after: path, word: name, path: `${path} ${name}`.trimStart() })),
  )
}

/** Options after which a value comes, one entry for each spelling. */
export function stepsToValues(
  nodes: readonly CompletionNode[],
): (Step & { readonly option: CompletionOption })[] {
  return nodes.flatMap(({ path, options }) =>
    options
      .filter(({ value }) => value !== 'none')
      .flatMap((option) => option.flags.map((word) => ({ after: path, word, option }))),
  )
}

/** A text that each of the shells takes as it is. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

export function quoteStep({ after, word }: Step): string {
  return quote(`${after}|${word}`)
}
