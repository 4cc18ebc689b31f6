import type { Term } from '@claviger/verify'
import type { Command } from 'commander'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { printJson, printRecord, printTable } from '../output.ts'

interface ExplainOptions {
  readonly json?: boolean
}

/** The glossary is imported when it is asked for: most commands do without. */
export function addExplain(tokens: Command): void {
  tokens
    .command('explain')
    .description('Explain a claim, a header member or the code of a verdict; without a name, list them all.')
    .argument('[name]', 'such as aud, kid or wrong_audience')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ claviger tokens explain aud\n  $ claviger tokens explain wrong_audience',
    )
    .action(async (name: string | undefined, options: ExplainOptions) => {
      const { findTerm, GLOSSARY } = await import('@claviger/verify')
      const found = name === undefined ? GLOSSARY : findTerm(name)
      if (found === undefined) {
        throw new CommandFailure(
          EXIT.usage,
          `There is no explanation of '${name}'. List all that are explained: claviger tokens explain`,
        )
      }
      if (options.json === true) printJson(found)
      else if ('name' in found) printTerm(found)
      else printTerms(found)
    })
}

function printTerms(terms: readonly Term[]): void {
  printTable(
    ['NAME', 'WHERE', 'MEANING'],
    terms.map(({ name, place, meaning }) => [name, place, meaning]),
  )
}

function printTerm(term: Term): void {
  printRecord([
    [term.place, term.name],
    ['meaning', term.meaning],
    ['use', term.use],
    ['defined in', term.source],
  ])
}
