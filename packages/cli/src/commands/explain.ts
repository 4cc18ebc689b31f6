import { findTerm, GLOSSARY } from '@claviger/verify'
import type { Command } from 'commander'
import { CommandFailure, EXIT } from '../exit-codes.ts'
import { printJson, printRecord, printTable } from '../output.ts'

interface ExplainOptions {
  readonly json?: boolean
}

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
    .action((name: string | undefined, { json }: ExplainOptions) => {
      if (name === undefined) explainAll(json === true)
      else explainOne(name, json === true)
    })
}

function explainAll(asJson: boolean): void {
  if (asJson) printJson(GLOSSARY)
  else {
    printTable(
      ['NAME', 'WHERE', 'MEANING'],
      GLOSSARY.map(({ name, place, meaning }) => [name, place, meaning]),
    )
  }
}

function explainOne(name: string, asJson: boolean): void {
  const term = findTerm(name)
  if (term === undefined) {
    throw new CommandFailure(
      EXIT.usage,
      `There is no explanation of '${name}'. List all that are explained: claviger tokens explain`,
    )
  }
  if (asJson) printJson(term)
  else {
    printRecord([
      [term.place, term.name],
      ['meaning', term.meaning],
      ['use', term.use],
      ['defined in', term.source],
    ])
  }
}
