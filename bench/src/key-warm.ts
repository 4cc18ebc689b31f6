import { hash } from 'node:crypto'
import { Verifier } from '@claviger/verify'
import { AUDIENCE, makeKeys, makeSource, requestFor, type SigningKeys } from './project.ts'
import { direct, promised, type Row } from './row.ts'

const KEY_COUNT = 20_000
const LIMIT = 'SHA-256 and a Map look-up'
const CACHED = 'Claviger, verifyCached'

export async function keyWarm(signing: SigningKeys): Promise<Row> {
  const { texts, records } = makeKeys(KEY_COUNT)
  const verifier = await Verifier.open({ source: makeSource(signing, records), audience: AUDIENCE })
  for (const credential of texts.make()) await verifier.verify(requestFor(credential))
  const inputs = (): string[] => {
    verifier.takeUses()
    return texts.make()
  }
  return {
    title: 'Key, in process, seen before',
    measures:
      '20,000 keys, all cached. Ours: the whole verdict from the text, with the permission query, usage counted ' +
      '(and handed over between passes). The limit: the digest of the text and one look-up in a Map of digests, ' +
      'no decision at all.',
    rounds: {
      contenders: [
        direct(
          LIMIT,
          () => texts.make(),
          (credential) => records.has(hash('sha256', credential, 'base64url')),
        ),
        direct(CACHED, inputs, (credential) => verifier.verifyCached(requestFor(credential))?.ok === true),
        promised('Claviger, await verify', inputs, async (credential) => {
          return (await verifier.verify(requestFor(credential))).ok
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
