/**
 * Good tokens of every algorithm, altered in one place: what was altered after it was signed never passes, and what
 * was signed in a wrong form does not either.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { encodePart, TokenSigner } from '../../test/token-signer.ts'
import { openTrusting, type Trusting } from '../../test/trusting-verifier.ts'
import { ALGORITHMS, type SigningAlgorithm } from './algorithms.ts'

const NAMES = Object.keys(ALGORITHMS) as SigningAlgorithm[]
const SIGNERS = NAMES.map((algorithm) => new TokenSigner(algorithm))
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Claims that a token may lack: without them it has fewer rights, or is harder to name. */
const OPTIONAL = ['jti', 'client_id', 'permissions', 'pos']

const REFUSED = ['malformed', 'unknown', 'bad_signature']

let trusting: Trusting

beforeAll(async () => {
  trusting = await openTrusting(SIGNERS)
})

/** Values of every JSON type but the value's own, an array of it among them. */
function retyped(value: unknown): unknown[] {
  const others = ['7', 7, true, null, {}, []].filter((other) => typeOf(other) !== typeOf(value))
  return typeOf(value) === 'array' ? others : [...others, [[value]]]
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
}

function without(object: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))
}

describe.each(SIGNERS)('a token of $algorithm', (signer) => {
  test('does not pass with one character replaced, removed or added, in any place', async () => {
    const token = signer.token(trusting.claims)
    expect(await trusting.verdictOn(token)).toBe('ok')
    for (let at = 0; at < token.length; at++) {
      const code = ALPHABET.indexOf(token.charAt(at))
      const before = token.slice(0, at)
      const after = token.slice(at + 1)
      for (const altered of [
        before + ALPHABET.charAt(code ^ 1) + after,
        before + ALPHABET.charAt((code + 32) % 64) + after,
        before + after,
        `${before}.${after}`,
      ]) {
        if (altered === token) continue
        const verdict = await trusting.verdictOn(altered)
        if (!REFUSED.includes(verdict)) expect([at, altered, verdict]).toEqual([at, altered, 'refused'])
      }
    }
  })

  test('does not pass with one bit of any byte of a part turned', async () => {
    const parts = signer.token(trusting.claims).split('.')
    for (const [index, part] of parts.entries()) {
      const bytes = Buffer.from(part, 'base64url')
      for (let at = 0; at < bytes.length; at++) {
        const altered = Buffer.from(bytes)
        altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8))
        const verdict = await trusting.verdictOn(parts.with(index, altered.toString('base64url')).join('.'))
        if (!REFUSED.includes(verdict)) expect([index, at, verdict]).toEqual([index, at, 'refused'])
      }
    }
  })

  test('does not pass with a member removed or retyped after it was signed', async () => {
    const [, , signature] = signer.token(trusting.claims).split('.')
    const headers = mutants(signer.header).map((header) => [header, trusting.claims])
    const payloads = mutants(trusting.claims).map((payload) => [signer.header, payload])
    for (const [header, payload] of [...headers, ...payloads]) {
      const altered = `${encodePart(header)}.${encodePart(payload)}.${signature}`
      expect(REFUSED).toContain(await trusting.verdictOn(altered))
    }
  })

  test('is malformed when it was signed with a member removed or retyped that must be as it is', async () => {
    for (const header of mutants(signer.header)) {
      const token = signer.tokenOfParts(encodePart(header), encodePart(trusting.claims))
      expect([header, await trusting.verdictOn(token)]).toEqual([header, 'malformed'])
    }
    for (const [name, value] of Object.entries(trusting.claims)) {
      const removed = await trusting.verdictOn(signer.token(without(trusting.claims, name)))
      expect([name, removed]).toEqual([name, OPTIONAL.includes(name) ? 'ok' : 'malformed'])
      for (const other of retyped(value)) {
        const verdict = await trusting.verdictOn(signer.token({ ...trusting.claims, [name]: other }))
        expect([name, other, verdict]).toEqual([name, other, 'malformed'])
      }
    }
  })
})

/** The object with each member removed, and given each other type. */
function mutants(object: Readonly<Record<string, unknown>>): Record<string, unknown>[] {
  return Object.entries(object).flatMap(([name, value]) => [
    without(object, name),
    ...retyped(value).map((other) => ({ ...object, [name]: other })),
  ])
}
