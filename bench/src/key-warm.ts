import { hash } from 'node:crypto'
import { Verifier, type VerifyRequest } from '@claviger/verify'
import { AUDIENCE, CLIENT_IP, makeKeys, makeRule, makeSource, QUERY, type SigningKeys } from './project.ts'
import { direct, promised, type Row } from './row.ts'

const KEY_COUNT = 20_000
const LIMIT = 'SHA-256 and a Map look-up'
const CACHED = 'Claviger, verifyCached'

export async function keyWarm(signing: SigningKeys): Promise<Row> {
  const { texts, records } = makeKeys(KEY_COUNT)
  const verifier = await Verifier.open({ source: makeSource(signing, records), audience: AUDIENCE })
  const changing = makeSource(signing, records)
  const unsettled = await Verifier.open({ source: changing, audience: AUDIENCE })
  for (const credential of texts.make()) {
    await verifier.verify(request(credential))
    await unsettled.verify(request(credential))
  }
  const inputs = (): string[] => {
    verifier.takeKeyUses()
    return texts.make()
  }
  const inputsAfterChange = (round: number): string[] => {
    unsettled.takeKeyUses()
    changing.deliver({ type: 'revocation', rule: makeRule(round + 1) })
    return texts.make()
  }
  return {
    title: 'Key, in process, seen before',
    measures:
      `${KEY_COUNT} keys, all cached. Ours: the whole verdict from the text, with the permission query, usage ` +
      'counted (and handed over between passes). The limit: the digest of the text and one look-up in a Map of ' +
      'digests, no decision at all. The last line tells what a change costs: one revocation of something else ' +
      'arrives before each pass, so that every key is judged anew.',
    rounds: {
      contenders: [
        direct(
          LIMIT,
          () => texts.make(),
          (credential) => records.has(hash('sha256', credential, 'base64url')),
        ),
        direct(CACHED, inputs, (credential) => verifier.verifyCached(request(credential))?.ok === true),
        promised('Claviger, await verify', inputs, async (credential) => {
          return (await verifier.verify(request(credential))).ok
        }),
        direct('Claviger, verifyCached, after a change', inputsAfterChange, (credential) => {
          return unsettled.verifyCached(request(credential))?.ok === true
        }),
      ],
      warmUp: 5,
      counted: 41,
      passSize: KEY_COUNT,
    },
    reference: LIMIT,
    aims: [{ contender: CACHED, against: LIMIT, atLeast: 0.8 }],
  }
}

function request(credential: string): VerifyRequest {
  return { credential, require: { permissions: QUERY }, context: { ip: CLIENT_IP } }
}
