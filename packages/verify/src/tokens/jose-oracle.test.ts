/**
 * The parser of tokens against jose's `compactVerify`, as the oracle, over tokens that are nearly good. What we accept
 * jose accepts. What jose accepts and we refuse is refused for a reason that is named here, and each reason occurs.
 */

import fc from 'fast-check'
import * as jose from 'jose'
import { describe, expect, test } from 'vitest'
import { encodePart, TokenSigner } from '../../test/token-signer.ts'
import { ALGORITHMS, acceptsHeader, type SigningAlgorithm } from './algorithms.ts'
import { parseToken } from './parse-token.ts'
import { prepareVerificationKey } from './verification-key.ts'

const NAMES = Object.keys(ALGORITHMS) as SigningAlgorithm[]
const SIGNERS = NAMES.map((algorithm) => {
  const signer = new TokenSigner(algorithm)
  return { signer, key: prepareVerificationKey(signer.fact) }
})
type Trusted = (typeof SIGNERS)[number]

const CLAIMS = '{"sub":"user_1","exp":1800000000,"n":[1,{"a":"\u00fc"}]}'

function weAccept(text: string, { key }: Trusted): boolean {
  const token = parseToken(text)
  if ('fault' in token) return false
  return (
    acceptsHeader(key.algorithm, token.header.alg) && key.verify(token.signedBytes, token.signature) === true
  )
}

async function joseAccepts(text: string, { signer }: Trusted): Promise<boolean> {
  try {
    const algorithms = [...ALGORITHMS[signer.algorithm].acceptedNames]
    await jose.compactVerify(text, signer.publicKey, { algorithms })
    return true
  } catch {
    return false
  }
}

/**
 * Why we refuse what jose accepts. Worked out from the text without our own parser. jose leaves all but the first to
 * its callers, who forget: so no token of ours has them, and none is accepted.
 */
const REASONS: Readonly<Record<string, (text: string) => boolean>> = {
  // jose decodes what `atob` decodes: one signature has many texts, which slip past what is kept by text.
  'base64url that is not canonical': (text) =>
    text.split('.').some((part) => Buffer.from(part, 'base64url').toString('base64url') !== part),
  'longer than 8192 bytes': (text) => text.length > 8192,
  // RFC 9068, section 2.1: what was signed for another purpose is no access token.
  'typ that is not at+jwt': (text) => {
    const { typ } = headerOf(text)
    return typeof typ !== 'string' || !/^(application\/)?at\+jwt$/i.test(typ)
  },
  // jose is handed a key; a verifier of several finds it by its name.
  'kid that is no text': (text) => typeof headerOf(text).kid !== 'string' || headerOf(text).kid === '',
  // RFC 8725, section 3.10. jose ignores what it does not use.
  'a key or an extension in the header': (text) =>
    ['crit', 'b64', 'jwk', 'jku', 'x5u', 'x5c', 'zip', 'enc'].some((name) =>
      Object.hasOwn(headerOf(text), name),
    ),
  // `compactVerify` hands out bytes: what they mean is the caller's affair.
  'payload that is no strict JSON object': (text) => !isStrictObject(bytesOf(text, 1)),
  // Of two members of one name JSON.parse takes the last, other readers the first.
  'header that is no strict JSON object': (text) => !isStrictObject(bytesOf(text, 0)),
}

function bytesOf(text: string, index: number): Buffer {
  return Buffer.from(text.split('.')[index] ?? '', 'base64url')
}

function headerOf(text: string): Record<string, unknown> {
  return JSON.parse(bytesOf(text, 0).toString())
}

/** An object, in well-formed UTF-8 without a byte order mark, that says each member once. */
function isStrictObject(bytes: Buffer): boolean {
  const text = bytes.toString()
  if (!Buffer.from(text).equals(bytes) || text.startsWith('\ufeff')) return false
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    if (/\\ud[89a-f]/i.test(text) || text.includes('__proto__')) return false
    // The inputs below repeat members of the outermost object only.
    const members = text.match(/"(sub|alg|kid)":/g) ?? []
    return new Set(members).size === members.length
  } catch {
    return false
  }
}

/** Everything that makes jose and us answer differently, or nothing: agreement. */
async function disagreement(text: string, trusted: Trusted): Promise<string[]> {
  const ours = weAccept(text, trusted)
  const theirs = await joseAccepts(text, trusted)
  if (ours === theirs) return []
  if (ours) return ['we accept what jose refuses']
  const reasons = Object.keys(REASONS).filter((name) => REASONS[name]?.(text))
  return reasons.length === 0 ? ['no reason is known'] : reasons
}

const headerMembers = fc.constantFrom<Record<string, unknown>>(
  {},
  {},
  {},
  { typ: 'JWT' },
  { typ: 'application/AT+JWT' },
  { typ: undefined },
  { kid: undefined },
  { kid: '' },
  { kid: 7 },
  { cty: 'JWT' },
  { jwk: { kty: 'oct', k: 'AAAA' } },
  { jku: 'https://attacker.example/' },
  { x5c: [] },
  { crit: ['exp'] },
  { crit: [] },
  { crit: ['b64'], b64: true },
  { b64: true },
  { zip: 'DEF' },
  { alg: 'none' },
  { alg: undefined },
  { alg: 'HS256' },
  { alg: 'EdDSA' },
  { alg: 'RS256' },
  { more: { deep: [null, 1.5, true] } },
)

const payloads = fc.constantFrom(
  CLAIMS,
  CLAIMS,
  CLAIMS,
  '{}',
  '',
  '[]',
  'null',
  '"text"',
  '{"sub":"a","sub":"b"}',
  '{"sub":',
  '\ufeff{}',
  '{"sub":"\\ud800"}',
  '{"__proto__":{}}',
  ` ${CLAIMS}\n`,
  `{"sub":"${'x'.repeat(6100)}"}`,
)

/** What may be done to a text: at a place in it, given as a fraction of its length. */
const edits: Record<string, (text: string, at: number) => string> = {
  nothing: (text) => text,
  'remove a character': (text, at) => text.slice(0, at) + text.slice(at + 1),
  'pad with =': (text, at) => `${text.slice(0, at)}=${text.slice(at)}`,
  'add a space': (text, at) => `${text.slice(0, at)} ${text.slice(at)}`,
  'add a line feed': (text, at) => `${text.slice(0, at)}\n${text.slice(at)}`,
  'add a dot': (text, at) => `${text.slice(0, at)}.${text.slice(at)}`,
  'add a character beyond ASCII': (text, at) => `${text.slice(0, at)}\u00e4${text.slice(at)}`,
  'replace a character': (text, at) => `${text.slice(0, at)}A${text.slice(at + 1)}`,
  'turn the last bit': (text) => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.at(-1) ?? '') ^ 1)
  },
  'spell it as base64': (text) => text.replaceAll('-', '+').replaceAll('_', '/'),
  'pad the end': (text) => `${text}==`,
}

describe('jose, as the oracle', () => {
  test('agrees, or the reason is known', async () => {
    const inputs = fc.record({
      trusted: fc.constantFrom(...SIGNERS),
      members: headerMembers,
      payload: payloads,
      edit: fc.oneof(fc.constant('nothing'), fc.constantFrom(...Object.keys(edits))),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    await fc.assert(
      fc.asyncProperty(inputs, async ({ trusted, members, payload, edit, at }) => {
        const { signer } = trusted
        const token = signer.tokenOfParts(encodePart({ ...signer.header, ...members }), encodePart(payload))
        const text = edits[edit]?.(token, Math.floor(at * token.length)) ?? token
        const reasons = await disagreement(text, trusted)
        expect(reasons).not.toContain('we accept what jose refuses')
        expect(reasons).not.toContain('no reason is known')
      }),
      { numRuns: 2_000 },
    )
  })

  test.each(SIGNERS)('accepts what is good, as we do: $signer.algorithm', async (trusted) => {
    for (const alg of ALGORITHMS[trusted.signer.algorithm].acceptedNames) {
      const text = trusted.signer.token(CLAIMS, { alg })
      expect([weAccept(text, trusted), await joseAccepts(text, trusted)]).toEqual([true, true])
    }
  })

  const examples: readonly [string, (signer: TokenSigner) => string][] = [
    ['base64url that is not canonical', (signer) => `${signer.token(CLAIMS)}==`],
    [
      'base64url that is not canonical',
      (signer) => edits['turn the last bit']?.(signer.token(CLAIMS), 0) ?? '',
    ],
    ['longer than 8192 bytes', (signer) => signer.token({ sub: 'x'.repeat(6100) })],
    ['typ that is not at+jwt', (signer) => signer.token(CLAIMS, { typ: 'JWT' })],
    ['kid that is no text', (signer) => signer.token(CLAIMS, { kid: undefined })],
    [
      'a key or an extension in the header',
      (signer) => signer.token(CLAIMS, { jwk: { kty: 'oct', k: 'AAAA' } }),
    ],
    ['payload that is no strict JSON object', (signer) => signer.token('[]')],
    ['payload that is no strict JSON object', (signer) => signer.token('{"sub":"a","sub":"b"}')],
    [
      'header that is no strict JSON object',
      (signer) =>
        signer.tokenOfParts(
          encodePart(JSON.stringify(signer.header).replace('{', '{"kid":"another",')),
          encodePart(CLAIMS),
        ),
    ],
  ]

  test.each(examples)('accepts, and we do not: %s', async (reason, make) => {
    // 32 and 64 bytes leave unused bits in the last character, as 256 do.
    for (const trusted of SIGNERS.filter(({ signer }) =>
      ['Ed25519', 'RS256', 'ES256'].includes(signer.algorithm),
    )) {
      const text = make(trusted.signer)
      expect(await joseAccepts(text, trusted)).toBe(true)
      expect(weAccept(text, trusted)).toBe(false)
      expect(await disagreement(text, trusted)).toContain(reason)
    }
  })

  test('has an example of each reason', () => {
    expect(new Set(examples.map(([reason]) => reason))).toEqual(new Set(Object.keys(REASONS)))
  })
})
