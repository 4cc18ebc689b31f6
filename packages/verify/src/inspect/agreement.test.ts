/** Inspection and verifier hold together: whatever one says of a text, the other says too. */
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { AUDIENCE, accessClaims, ISSUER, makeKey } from '../../test/credentials.ts'
import { MemorySource } from '../../test/memory-source.ts'
import { encodePart, TokenSigner } from '../../test/token-signer.ts'
import { VERDICT_CODES } from '../verdict.ts'
import { Verifier } from '../verifier/verifier.ts'
import { inspect } from './inspect.ts'
import { CHECK_CODES, type Inspection } from './inspection.ts'

const signers = [new TokenSigner('RS256'), new TokenSigner('ES256'), new TokenSigner('Ed25519')] as const
const [rsa, ec] = signers
const jwks = {
  keys: signers.map(({ publicJwk, id, fact }) => ({ ...publicJwk, kid: id, alg: fact.algorithm })),
}

const source = new MemorySource()
source.facts = [
  ...signers.map((signer) => signer.fact),
  { type: 'issuers', own: [{ url: ISSUER, acceptUntilMs: null }] },
]
const CLAIMS = accessClaims(source.time, source.position())
const key = makeKey()
source.keys.set(key.digest, key.record)
let verifier: Verifier

beforeAll(async () => {
  verifier = await Verifier.open({ source, audience: AUDIENCE })
})

function inspectHere(credential: string): Inspection {
  return inspect({ credential, jwks, issuer: ISSUER, audience: AUDIENCE, nowMs: source.time })
}

/** Both answers to a text. A key that is well-formed is looked up by the verifier alone. */
async function answers(credential: string): Promise<{ verifier: string; inspection: string }> {
  const verdict = await verifier.verify({ credential })
  const inspection = inspectHere(credential)
  const isLookedUp = inspection.kind !== 'token' && inspection.verdict === undefined
  return {
    verifier: verdict.ok || (isLookedUp && verdict.code === 'unknown') ? 'ok' : verdict.code,
    inspection: inspection.verdict?.code ?? 'ok',
  }
}

async function expectAgreement(credential: string): Promise<void> {
  const { verifier, inspection } = await answers(credential)
  expect(inspection).toBe(verifier)
}

test('the checks stand in the order of the verdicts that they lead to', () => {
  const order = Object.keys(VERDICT_CODES)
  const places = Object.values(CHECK_CODES).map((code) => order.indexOf(code))
  expect(places).toEqual(places.toSorted((a, b) => a - b))
})

test('good credentials are found good by both', async () => {
  for (const credential of [key.text, ...signers.map((signer) => signer.token(CLAIMS))]) {
    expect(await answers(credential)).toEqual({ verifier: 'ok', inspection: 'ok' })
  }
})

describe('whatever inspection finds good the verifier does not refuse for its form or signature, and the reverse', () => {
  const goods = [key.text, ...signers.map((signer) => signer.token(CLAIMS))]
  const good = fc.constantFrom(...goods)
  const strange = fc.constantFrom(
    '=',
    '==',
    '.',
    ' ',
    '\n',
    '+',
    '/',
    '_',
    '-',
    'A',
    '\0',
    'é',
    '\ufeff',
    '%3D',
  )

  test('of a text with something put in, taken out or replaced', async () => {
    await fc.assert(
      fc.asyncProperty(good, fc.nat(), fc.nat(3), strange, async (text, place, taken, put) => {
        const at = place % (text.length + 1)
        await expectAgreement(text.slice(0, at) + put + text.slice(at + taken))
        await expectAgreement(text.slice(0, at) + text.slice(at + taken))
      }),
      { numRuns: 400 },
    )
  })

  test('of tokens whose members are anything, signed all the same', async () => {
    const headerName = fc.constantFrom('alg', 'kid', 'typ', 'crit', 'b64', 'jwk', 'zip', 'cty')
    const claimName = fc.constantFrom(
      ...Object.keys(CLAIMS),
      'nbf',
      'sid',
      'scope',
      'roles',
      'cnf',
      'status',
      'x',
    )
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom(undefined, '', 'none', 'EdDSA', 'at+jwt', 'a:b', [AUDIENCE], ['a:b'], 1e12, -1, {}),
      fc.integer({ min: 0, max: 4_000_000_000 }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...signers),
        fc.dictionary(headerName, value, { maxKeys: 1 }),
        fc.dictionary(claimName, value, { maxKeys: 2 }),
        async (signer, header, claims) => {
          await expectAgreement(signer.token({ ...CLAIMS, ...claims }, header))
        },
      ),
      { numRuns: 300 },
    )
  })

  test('of tokens whose header or payload is any JSON, or none', async () => {
    const claims = JSON.stringify(CLAIMS)
    const json = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc
        .tuple(
          fc.nat(claims.length),
          fc.constantFrom('"', '\\', ',', '{', '}', '\\ud83d', '1e999', '"iss":"x",'),
        )
        .map(([at, put]) => claims.slice(0, at) + put + claims.slice(at)),
    )
    await fc.assert(
      fc.asyncProperty(json, fc.boolean(), async (text, asHeader) => {
        const parts = asHeader ? [text, CLAIMS] : [rsa.header, text]
        const [header = '', payload = ''] = parts.map(encodePart)
        await expectAgreement(rsa.tokenOfParts(header, payload))
      }),
      { numRuns: 300 },
    )
  })

  test('of any text at all', async () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[a-z]{1,4}_[0-9A-Za-z]{43,45}$/),
    )
    await fc.assert(fc.asyncProperty(text, expectAgreement), { numRuns: 300 })
  })
})

test('ES256 with another key of the JWKS under the same kid is checked with both', () => {
  const other = new TokenSigner('ES256', ec.id)
  const keys = [other, ec].map(({ publicJwk, id }) => ({ ...publicJwk, kid: id }))
  const { verdict } = inspect({ credential: ec.token(CLAIMS), jwks: { keys }, nowMs: source.time })
  expect(verdict).toBeUndefined()
})
