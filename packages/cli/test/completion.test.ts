/** The scripts of `claviger completion`, in the real shells, against the real tree of commands. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addStartSettings } from '../src/commands/start.ts'
import { type CompletionNode, describeCommands } from '../src/completion/command-tree.ts'
import { createProgram } from '../src/program.ts'
import { makeFolder, runIn } from './command-line.ts'
import { type Complete, completeInBash, completeInFish, completeInZsh, hasShell, scriptIn } from './shells.ts'

const SHELLS: readonly (readonly [string, Complete])[] = [
  ['bash', completeInBash],
  ['zsh', completeInZsh],
  ['fish', completeInFish],
]

const folder = makeFolder()
let nodes: readonly CompletionNode[]

beforeAll(async () => {
  const program = createProgram(() => undefined)
  await addStartSettings(program)
  nodes = describeCommands(program)
  writeFileSync(join(folder, 'some-keys.json'), '')
})
afterAll(() => rmSync(folder, { recursive: true }))

function lineAt(path: string, rest: string): string {
  return `claviger ${path} ${rest}`.replace('  ', ' ')
}

test('the tree that is completed is the one that is run', () => {
  const paths = nodes.map(({ path }) => path)
  expect(paths).toContain('')
  expect(paths).toContain('management-keys rotate')
  expect(nodes.find(({ path }) => path === 'start')?.options.map(({ flags }) => flags[0])).toContain('--port')
})

test('a shell that is not known is a mistake of usage', async () => {
  const { exitCode, stdout, stderr } = await runIn(folder, ['completion', 'cmd'])
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  expect(stderr).toContain('bash, zsh, fish')
})

describe.each(SHELLS)('%s', (shell, complete) => {
  const isThere = hasShell(shell)
  if (!isThere) console.log(`${shell} is missing: what it completes is not tested.`)
  // Where CI is set every shell is installed: its absence must not pass as a skipped test.
  const tried = test.skipIf(!isThere && process.env.CI === undefined)
  const script = scriptIn(folder, shell)

  beforeAll(async () => {
    const { exitCode, stdout, stderr } = await runIn(folder, ['completion', shell])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    writeFileSync(script, stdout)
  })

  /** What is offered for each line; in zsh the line itself is on the terminal too. */
  function expectOffers(expected: readonly (readonly [line: string, words: readonly string[]])[]): void {
    expect(expected.length).toBeGreaterThan(0)
    const answers = complete(
      folder,
      script,
      expected.map(([line]) => line),
    )
    for (const [index, [line, words]] of expected.entries()) {
      const offered = answers[index] ?? []
      if (shell === 'zsh') expect(offered, line).toEqual(expect.arrayContaining([...words]))
      else expect(offered.toSorted(), line).toEqual(words.toSorted())
    }
  }

  tried('every command is offered where it can stand', () => {
    const branches = nodes.filter(({ commands, choices }) => commands.length + choices.length > 0)
    expectOffers(
      branches.map(({ path, commands, choices }) => [
        lineAt(path, ''),
        [...commands.map(({ name }) => name), ...choices],
      ]),
    )
  })

  tried('every option is offered with the command that takes it', () => {
    expectOffers(
      nodes.map(({ path, options }) => [
        lineAt(path, '--'),
        options.flatMap(({ flags }) => flags.filter((flag) => flag.startsWith('--'))),
      ]),
    )
  })

  tried('an option that takes one of a few words offers them', () => {
    expectOffers(
      nodes.flatMap(({ path, options }) =>
        options
          .filter(({ value }) => value === 'choice')
          .map(({ flags, choices }) => [lineAt(path, `${flags[0]} `), choices] as const),
      ),
    )
  })

  tried(
    'the value of an option is taken for no command, and names of files are completed where they are asked for',
    () => {
      expectOffers([
        ['claviger keys cr', ['create']],
        ['claviger keys list --name create --stat', ['--status']],
        ['claviger keys list --status rev', ['revoked']],
        ['claviger inspect --jwks some', ['some-keys.json']],
      ])
    },
  )

  tried('a value may be written with an equals sign', () => {
    const [answer = []] = complete(folder, script, ['claviger keys list --status=rev'])
    expect(answer.join(' ')).toMatch(/(^|=)revoked/m)
  })
})
