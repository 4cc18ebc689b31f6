import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { Verifier } from '@claviger/verify'
import { SignJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openTestInstallation, START_MS, type TestInstallation } from '../../test/installation.ts'
import { AUDIENCE, type Issuing, openIssuing, PUBLIC_URL } from '../../test/issuing.ts'
import { DatabaseSource } from '../changes/database-source.ts'
import { createRevocation } from '../revocation/create-revocation.ts'
import { createSigningKey } from './create-signing-key.ts'

const DAY_MS = 86_400_000

let installation: TestInstallation
let issuing: Issuing
let privateKey: KeyObject

beforeEach(async () => {
  installation = await openTestInstallation()
  issuing = await openIssuing(installation)
  privateKey = generateKeyPairSync('ed25519').privateKey
})
afterEach(() => installation.close())

/** A token of the issuer that was here before: it knows of no `pos`, and lives a month. */
function oldToken(subject: string): Promise<string> {
  const startSeconds = START_MS / 1000
  return new SignJWT({ client_id: 'web', jti: `old-${subject}` })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: 'old' })
    .setIssuer(PUBLIC_URL)
    .setSubject(subject)
    .setAudience(AUDIENCE)
    .setIssuedAt(startSeconds)
    .setExpirationTime(startSeconds + 30 * 86_400)
    .sign(privateKey)
}

async function importKey(tokensUntil?: string): Promise<void> {
  const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const more = tokensUntil === undefined ? {} : { tokensUntil }
  await createSigningKey(issuing.scope, {
    algorithm: 'Ed25519',
    key,
    kid: 'old',
    status: 'retiring',
    ...more,
  })
}

/** What the verifier that was there says, and one that starts now. */
async function verdictsOn(credential: string): Promise<readonly string[]> {
  issuing.verifier.dropExpiredRules()
  const source = new DatabaseSource(installation, issuing.scope.projectId)
  const fresh = await Verifier.open({ source, audience: AUDIENCE })
  const verdicts = await Promise.all(
    [issuing.verifier, fresh].map((verifier) => verifier.verify({ credential })),
  )
  fresh.close()
  return verdicts.map((verdict) => (verdict.ok ? 'ok' : verdict.code))
}

describe('V7: a token that was signed elsewhere', () => {
  test('lives as long as its key was said to have signed for, and no longer than a day if nothing was said', async () => {
    const month = new Date(START_MS + 30 * DAY_MS).toISOString()
    await importKey(month)
    const credential = await oldToken('a')
    installation.clock.advance(29 * DAY_MS)
    expect(await verdictsOn(credential)).toEqual(['ok', 'ok'])
    installation.clock.advance(DAY_MS)
    expect(await verdictsOn(credential)).not.toContain('ok')
  })

  test('does not live beyond a day where its key states no end: what revokes it would be forgotten', async () => {
    await importKey()
    const credential = await oldToken('a')
    expect(await verdictsOn(credential)).toEqual(['ok', 'ok'])
    installation.clock.advance(DAY_MS)
    expect(await verdictsOn(credential)).toEqual(['expired', 'expired'])
  })

  test.each(['before', 'after'])(
    'that is revoked %s its key is imported does not come back',
    async (when) => {
      const revoke = (): Promise<unknown> => createRevocation(issuing.scope, { subject: 'a' })
      const month = new Date(START_MS + 30 * DAY_MS).toISOString()
      const credential = await oldToken('a')
      if (when === 'before') await revoke()
      await importKey(month)
      if (when === 'after') await revoke()
      for (const days of [1, 2, 3, 20]) {
        installation.clock.advance(days * DAY_MS)
        expect(await verdictsOn(credential)).toEqual(['revoked', 'revoked'])
      }
    },
  )

  test('that was revoked so long ago that the rule was forgotten does not come back either', async () => {
    await createRevocation(issuing.scope, { subject: 'a' })
    const credential = await oldToken('a')
    installation.clock.advance(4 * DAY_MS)
    issuing.verifier.dropExpiredRules()
    await importKey(new Date(START_MS + 30 * DAY_MS).toISOString())
    expect(await verdictsOn(credential)).toEqual(['revoked', 'revoked'])
  })
})
