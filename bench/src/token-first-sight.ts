import { Buffer } from 'node:buffer'
import { verify } from 'node:crypto'
import { Verifier } from '@claviger/verify'
import { JwtVerifier } from 'aws-jwt-verify'
import { type Algorithm, createVerifier } from 'fast-jwt'
import { jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import type { FreshTexts } from './fresh-texts.ts'
import type { Contender } from './interleave.ts'
import { AUDIENCE, ISSUER, makeSource, requestFor, type SigningKeys } from './project.ts'
import { direct, promised, type Row } from './row.ts'

const PASS_SIZE = 1_000
/** V8 makes its last code for this path after some ten thousand calls: the second after a start is not the row. */
const WARM_UP = 12
const LIMIT = 'crypto.verify alone'
const OURS = 'Claviger, await verify'
export const PEERS = ['fast-jwt', 'aws-jwt-verify', 'jose', 'jsonwebtoken']

/** What DESIGN section 10 asks of an algorithm, and what there is to say of its key. */
interface Case {
  readonly key: string
  /** At least so many times as fast as the signature alone; null: that is only shown. */
  readonly ofLimit: number | null
  /** At least so many times as fast as each peer. */
  readonly ofPeers: number
  readonly peers: readonly string[]
}

const CASES = {
  RS256: { key: '2048 bits', ofLimit: 0.7, ofPeers: 1, peers: PEERS },
  ES256: { key: 'P-256', ofLimit: null, ofPeers: 1.5, peers: PEERS },
  // aws-jwt-verify knows no PS256.
  PS256: {
    key: '2048 bits',
    ofLimit: null,
    ofPeers: 1.5,
    peers: PEERS.filter((name) => name !== 'aws-jwt-verify'),
  },
} as const satisfies Record<string, Case>

export type FirstSightAlgorithm = keyof typeof CASES

/** Each round takes the next thousand tokens: nobody sees one twice. */
export async function tokenFirstSight(
  algorithm: FirstSightAlgorithm,
  signing: SigningKeys,
  texts: FreshTexts,
): Promise<Row> {
  const { key, ofLimit, ofPeers, peers: names }: Case = CASES[algorithm]
  const verifier = await Verifier.open({ source: makeSource(signing), audience: AUDIENCE })
  const inputs = (round: number): string[] => texts.make(round * PASS_SIZE, PASS_SIZE)
  return {
    title: `Token, in process, first sight, ${algorithm} (${key})`,
    measures:
      '20,000 tokens, each seen once by everyone, 1,000 a round, after 12,000 others to warm up. Ours: strict parsing, signature, ' +
      'claims, revocation, rights and the permission query. The limit: the signature alone, of bytes that lie ready. ' +
      'The peers: parsing, signature, times, issuer and audience, with their caches of tokens off and their keys ' +
      'prepared as well as they can be; jose verifies on the thread pool, one after another like the rest.',
    rounds: {
      contenders: [
        limit(signing, inputs),
        promised(OURS, inputs, async (credential) => (await verifier.verify(requestFor(credential))).ok),
        ...peers(signing, inputs).filter(({ name }) => names.includes(name)),
      ],
      warmUp: WARM_UP,
      counted: texts.count / PASS_SIZE - WARM_UP,
      passSize: PASS_SIZE,
    },
    reference: LIMIT,
    aims: [
      ...(ofLimit === null ? [] : [{ contender: OURS, against: LIMIT, atLeast: ofLimit }]),
      ...names.map((against) => ({ contender: OURS, against, atLeast: ofPeers })),
    ],
  }
}

function limit({ traits, publicJwk }: SigningKeys, inputs: (round: number) => string[]): Contender {
  const key = traits.importKey({ ...publicJwk })
  // What JOSE writes for an ECDSA signature has to be made into DER first: 74 ns, which count here too.
  const accepts =
    traits.keyType === 'EC'
      ? (signed: Buffer, signature: Buffer) => traits.verify(key, signed, signature)
      : (signed: Buffer, signature: Buffer) => verify(traits.digest, signed, key, signature)
  return {
    name: LIMIT,
    prepare(round) {
      const parts = inputs(round).map((text) => {
        const end = text.lastIndexOf('.')
        return {
          signed: Buffer.from(text.slice(0, end)),
          signature: Buffer.from(text.slice(end + 1), 'base64url'),
        }
      })
      return () => {
        let accepted = 0
        for (const { signed, signature } of parts) {
          if (accepts(signed, signature)) accepted++
        }
        return accepted
      }
    },
  }
}

function peers(signing: SigningKeys, inputs: (round: number) => string[]): Contender[] {
  const names = (payload: object): boolean => 'sub' in payload && typeof payload.sub === 'string'
  const { joseName: alg } = signing.traits
  const pem = signing.publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const fastJwt = createVerifier({
    key: pem,
    algorithms: [alg as Algorithm],
    allowedAud: AUDIENCE,
    allowedIss: ISSUER,
  })

  const aws = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}/jwks.json` })
  const { kty = '', ...members } = signing.publicJwk
  aws.cacheJwks({ keys: [{ ...members, kty, use: 'sig', alg, kid: signing.id }] })

  const expected = { issuer: ISSUER, audience: AUDIENCE }
  return [
    direct('fast-jwt', inputs, (token) => names(fastJwt(token))),
    direct('aws-jwt-verify', inputs, (token) => names(aws.verifySync(token))),
    promised('jose', inputs, async (token) => {
      return names((await jwtVerify(token, signing.publicKey, { ...expected, algorithms: [alg] })).payload)
    }),
    direct('jsonwebtoken', inputs, (token) => {
      return names(jsonwebtoken.verify(token, signing.publicKey, { ...expected, algorithms: [alg] }))
    }),
  ]
}
