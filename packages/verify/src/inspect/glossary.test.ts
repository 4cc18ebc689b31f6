import { expect, test } from 'vitest'
import { KNOWN_CLAIMS } from '../tokens/payload.ts'
import { VERDICT_CODES } from '../verdict.ts'
import { findTerm, GLOSSARY } from './glossary.ts'

test('every claim with a meaning, every header member that counts and every verdict is explained, once', () => {
  const names = [...KNOWN_CLAIMS, 'alg', 'typ', 'kid', ...Object.keys(VERDICT_CODES)]
  expect(GLOSSARY.map(({ name }) => name).toSorted()).toEqual(names.toSorted())
  expect(GLOSSARY.filter(({ place }) => place === 'verdict').map(({ name }) => name)).toEqual(
    Object.keys(VERDICT_CODES),
  )
})

test('each meaning is one sentence, and each says where it comes from', () => {
  for (const { meaning, use, source } of GLOSSARY) {
    expect(meaning).toMatch(/^[A-Z].*\.$/)
    expect(use).toMatch(/^[A-Z`].*[.?]$/)
    expect(source).not.toBe('')
  }
})

test('a word that nobody uses is not explained', () => {
  expect(findTerm('constructor')).toBeUndefined()
})
