import { Buffer } from 'node:buffer'
import { verify } from 'node:crypto'
import { Verifier } from '@claviger/verify'
import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier } from 'fast-jwt'
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

/** Each round takes the next thousand tokens: nobody sees one twice. */
export async function tokenFirstSight(signing: SigningKeys, texts: FreshTexts): Promise<Row> {
  const verifier = await Verifier.open({ source: makeSource(signing), audience: AUDIENCE })
  const inputs = (round: number): string[] => texts.make(round * PASS_SIZE, PASS_SIZE)
  return {
    title: 'Token, in process, first sight, RS256 (2048 bits)',
    measures:
      '20,000 tokens, each seen once by everyone, 1,000 a round, after 12,000 others to warm up. Ours: strict parsing, signature, ' +
      'claims, revocation, rights and the permission query. The limit: the signature alone, of bytes that lie ready. ' +
      'The peers: parsing, signature, times, issuer and audience, with their caches of tokens off and their keys ' +
      'prepared as well as they can be; jose verifies on the thread pool, one after another like the rest.',
    rounds: {
      contenders: [
        limit(signing, inputs),
        promised(OURS, inputs, async (credential) => (await verifier.verify(requestFor(credential))).ok),
        ...peers(signing, inputs),
      ],
      warmUp: WARM_UP,
      counted: texts.count / PASS_SIZE - WARM_UP,
      passSize: PASS_SIZE,
    },
    reference: LIMIT,
    aims: [
      { contender: OURS, against: LIMIT, atLeast: 0.7 },
      ...PEERS.map((against) => ({ contender: OURS, against, atLeast: 1 })),
    ],
  }
}

function limit(signing: SigningKeys, inputs: (round: number) => string[]): Contender {
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
          if (verify('sha256', signed, signing.publicKey, signature)) accepted++
        }
        return accepted
      }
    },
  }
}

function peers(signing: SigningKeys, inputs: (round: number) => string[]): Contender[] {
  const names = (payload: object): boolean => 'sub' in payload && typeof payload.sub === 'string'
  const pem = signing.publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const fastJwt = createVerifier({
    key: pem,
    algorithms: ['RS256'],
    allowedAud: AUDIENCE,
    allowedIss: ISSUER,
  })

  const aws = JwtVerifier.create({ issuer: ISSUER, audience: AUDIENCE, jwksUri: `${ISSUER}/jwks.json` })
  const { n = '', e = '' } = signing.publicJwk
  aws.cacheJwks({ keys: [{ kty: 'RSA', use: 'sig', alg: 'RS256', kid: signing.id, n, e }] })

  const expected = { issuer: ISSUER, audience: AUDIENCE }
  return [
    direct('fast-jwt', inputs, (token) => names(fastJwt(token))),
    direct('aws-jwt-verify', inputs, (token) => names(aws.verifySync(token))),
    promised('jose', inputs, async (token) => {
      return names(
        (await jwtVerify(token, signing.publicKey, { ...expected, algorithms: ['RS256'] })).payload,
      )
    }),
    direct('jsonwebtoken', inputs, (token) => {
      return names(jsonwebtoken.verify(token, signing.publicKey, { ...expected, algorithms: ['RS256'] }))
    }),
  ]
}
