import { Verifier } from '@claviger/verify'
import { createVerifier } from 'fast-jwt'
import type { FreshTexts } from './fresh-texts.ts'
import { AUDIENCE, ISSUER, makeSource, requestFor, type SigningKeys } from './project.ts'
import { direct, promised, type Row } from './row.ts'

const TOKENS = 20_000

const PEER = 'fast-jwt, its cache as it comes'
const CACHED = 'Claviger, verifyCached'

export async function tokenSeen(signing: SigningKeys, texts: FreshTexts): Promise<Row> {
  const verifier = await Verifier.open({ source: makeSource(signing), audience: AUDIENCE })
  const options = {
    key: signing.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    algorithms: ['RS256' as const],
    allowedAud: AUDIENCE,
    allowedIss: ISSUER,
    cache: 2 * TOKENS,
  }
  const peer = createVerifier(options)
  const peerByText = createVerifier({ ...options, cacheKeyBuilder: (token) => token })
  for (const credential of texts.make(0, TOKENS)) {
    await verifier.verify(requestFor(credential))
    peer(credential)
    peerByText(credential)
  }
  const inputs = (): string[] => texts.make(0, TOKENS)
  const names = (payload: { sub?: unknown }): boolean => typeof payload.sub === 'string'
  return {
    title: 'Token, in process, seen before',
    measures:
      `20,000 RS256 tokens of ${texts.meanLength} characters, all verified once before. Ours: the whole verdict ` +
      'from the text, with revocation and the permission query. The peer: signature, times, issuer and audience from ' +
      'its cache; by default under a digest of the text, in the last line under the text itself, which its ' +
      'documentation offers to those who do not mind tokens in memory.',
    rounds: {
      contenders: [
        direct(PEER, inputs, (credential) => names(peer(credential))),
        direct(CACHED, inputs, (credential) => verifier.verifyCached(requestFor(credential))?.ok === true),
        promised('Claviger, await verify', inputs, async (credential) => {
          return (await verifier.verify(requestFor(credential))).ok
        }),
        direct('fast-jwt, its cache by the whole text', inputs, (credential) =>
          names(peerByText(credential)),
        ),
      ],
      warmUp: 5,
      counted: 41,
      passSize: TOKENS,
    },
    reference: PEER,
    aims: [{ contender: CACHED, against: PEER, atLeast: 5 }],
  }
}
