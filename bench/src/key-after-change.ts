import { Verifier } from '@claviger/verify'
import { AUDIENCE, makeKeys, makeRule, makeSource, requestFor, type SigningKeys } from './project.ts'
import { direct, type Row } from './row.ts'

const KEY_COUNT = 20_000
const SETTLED = 'Claviger, verifyCached, no change'

/** What the row above leaves out: the facts change while keys are verified. No aim is set for it. */
export async function keyAfterChange(signing: SigningKeys): Promise<Row> {
  const { texts, records } = makeKeys(KEY_COUNT)
  const changing = makeSource(signing, records)
  const settled = await Verifier.open({ source: makeSource(signing, records), audience: AUDIENCE })
  const unsettled = await Verifier.open({ source: changing, audience: AUDIENCE })
  for (const credential of texts.make()) {
    await settled.verify(requestFor(credential))
    await unsettled.verify(requestFor(credential))
  }
  return {
    title: 'Key, in process, the first time after a change',
    measures:
      '20,000 keys, all cached, as above; but one revocation of something else arrives before each pass, so that ' +
      'each key is met by a verifier whose facts have changed since it last saw it.',
    rounds: {
      contenders: [
        direct(
          SETTLED,
          () => texts.make(),
          (credential) => settled.verifyCached(requestFor(credential))?.ok === true,
        ),
        direct(
          'Claviger, verifyCached, after a change',
          (round) => {
            changing.deliver({ type: 'revocation', rule: makeRule(round + 1) })
            return texts.make()
          },
          (credential) => unsettled.verifyCached(requestFor(credential))?.ok === true,
        ),
      ],
      warmUp: 5,
      counted: 21,
      passSize: KEY_COUNT,
    },
    reference: SETTLED,
    aims: [],
  }
}
