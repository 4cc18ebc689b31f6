import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readPresentedCredential } from './presented-credential.ts'

/** Spellings of the header names that are the same to HTTP. */
const name = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) =>
      [...text].map((letter, index) => (upper[index] === true ? letter.toUpperCase() : letter)).join(''),
    )
const credential = fc.stringMatching(/^[!-~]{1,40}$/)

test('one credential is read from either header, however its name is spelled and whatever stands around it', () => {
  fc.assert(
    fc.property(
      name('authorization'),
      name('x-api-key'),
      credential,
      fc.boolean(),
      (bearer, apiKey, text, first) => {
        const others = ['Host', 'localhost', 'X-Api-Keys', 'other', 'Authorizations', 'Bearer other']
        const header = first ? [bearer, `Bearer ${text}`] : [apiKey, text]
        expect(readPresentedCredential([...others, ...header, ...others])).toBe(text)
        expect(readPresentedCredential([bearer, `Bearer ${text}`, apiKey, text])).toBe(text)
      },
    ),
  )
})

test('two credentials are never read as one', () => {
  fc.assert(
    fc.property(
      name('authorization'),
      name('x-api-key'),
      credential,
      credential,
      (bearer, apiKey, one, other) => {
        fc.pre(one !== other)
        for (const headers of [
          [bearer, `Bearer ${one}`, apiKey, other],
          [apiKey, other, bearer, `Bearer ${one}`],
          [bearer, `Bearer ${one}`, bearer, `Bearer ${other}`],
          [apiKey, one, apiKey, other],
          [apiKey, one, apiKey, one],
        ]) {
          expect(() => readPresentedCredential(headers)).toThrow(
            expect.objectContaining({ code: 'unauthenticated' }),
          )
        }
      },
    ),
  )
})

test('no refusal repeats what was presented', () => {
  for (const headers of [
    ['authorization', 'Basic c2VjcmV0'],
    ['authorization', 'Bearer c2VjcmV0 c2VjcmV0'],
    ['authorization', 'Bearer c2VjcmV0', 'x-api-key', 'c2VjcmV1'],
    ['x-api-key', 'c2VjcmV0', 'x-api-key', 'c2VjcmV0'],
  ]) {
    expect(() => readPresentedCredential(headers)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('c2Vjcm') }),
    )
  }
})
