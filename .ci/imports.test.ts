import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** What each package may import of the others: one way only, `verify <- engine <- server <- cli`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  verify: [],
  engine: ['@claviger/verify'],
  server: ['@claviger/engine', '@claviger/verify'],
  client: [],
  cli: ['@claviger/client', '@claviger/engine', '@claviger/server', '@claviger/verify'],
}
const ROOT = join(import.meta.dirname, '..')

function sourcesOf(name: string): string[] {
  const folder = join(ROOT, 'packages', name, 'src')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(folder, file))
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  return [
    ...text.matchAll(
      /^\s*(?:import|export)\b[^'"]*?from '([^']+)'|^\s*import '([^']+)'|\bimport\('([^']+)'\)/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** Without what the types of a program need and its run does not. */
function codeImportsOf(file: string): string[] {
  const all = importsOf(file)
  const types = [...readFileSync(file, 'utf8').matchAll(/^import type [^'"]*? from '([^']+)'/gm)]
  const known = new Set(types.map(([, name]) => name))
  return all.filter((name) => !known.has(name))
}

test.each(Object.entries(MAY_IMPORT))('%s imports no package above it', (name, allowed) => {
  const sources = sourcesOf(name)
  expect(sources.length).toBeGreaterThan(0)
  for (const file of sources) {
    for (const imported of importsOf(file)) {
      // A package may offer a part of itself, such as `@claviger/server/csv`.
      const from = imported.split('/').slice(0, 2).join('/')
      if (/^(@claviger\/|claviger$)/.test(imported)) expect(allowed, file).toContain(from)
      expect(imported, file).not.toMatch(/packages\/|\/src\/index/)
    }
  }
})

test('verify imports node: in its one crypto file and in the file store, which nothing else imports', () => {
  const users = sourcesOf('verify').filter((file) =>
    codeImportsOf(file).some((name) => name.startsWith('node:')),
  )
  const folder = join(ROOT, 'packages', 'verify', 'src')
  expect(users).toEqual([join(folder, 'crypto.ts'), join(folder, 'edge', 'snapshot-file.ts')])
  for (const file of sourcesOf('verify')) expect(importsOf(file).join(), file).not.toContain('snapshot-file')
})

test('the portable files import nothing but this package and digests, and not what they stand in for', () => {
  const folder = join(ROOT, 'packages', 'verify', 'src', 'portable')
  const sources = sourcesOf('verify').filter((file) => file.startsWith(folder))
  expect(sources.length).toBeGreaterThan(0)
  for (const file of sources) {
    for (const imported of codeImportsOf(file)) {
      expect(imported, file).toMatch(/^\.\.?\/|^@noble\/hashes\//)
      expect(imported, file).not.toMatch(/^\.\.\/(crypto|tokens\/signature-schemes)\.ts$/)
    }
  }
})

test('the middleware runs without the frameworks: it imports nothing but this package, and types', () => {
  const sources = sourcesOf('verify').filter((file) => file.includes('/src/middleware/'))
  expect(sources.length).toBeGreaterThan(0)
  for (const file of sources) {
    for (const imported of codeImportsOf(file)) expect(imported, file).toMatch(/^\.\.?\//)
  }
})

test('no folder is called after what does not fit elsewhere', () => {
  const folders = readdirSync(join(ROOT, 'packages'), { recursive: true, encoding: 'utf8' })
  const odd = folders.filter((path) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$|$)/.test(path))
  expect(odd.filter((path) => !path.includes('node_modules') && !path.includes('generated'))).toEqual([])
})

test('the engine knows no HTTP', () => {
  for (const file of sourcesOf('engine')) {
    for (const imported of importsOf(file)) expect(imported, file).not.toMatch(/^(node:https?|fastify)/)
  }
})
