import { setImmediate as nextTurn } from 'node:timers/promises'
import { comparePositions, identify, Verifier, verifyParent } from '@claviger/verify'
import { DatabaseSource } from '../src/changes/database-source.ts'
import type { Actor } from '../src/commands/command.ts'
import type { RevocationScope } from '../src/revocation/create-revocation.ts'
import { Keyring } from '../src/signing/keyring.ts'
import { setPublicUrl } from '../src/signing/public-url.ts'
import { MintFacts } from '../src/tokens/mint-facts.ts'
import type { MintScope } from '../src/tokens/mint-token.ts'
import type { TestInstallation } from './installation.ts'

export const PUBLIC_URL = 'https://auth.example.com'
export const AUDIENCE = 'https://api.example.com'

/** A project that issues and revokes, and a verifier that reads the same database. */
export interface Issuing {
  readonly scope: MintScope & RevocationScope
  readonly verifier: Verifier
  /** The same place for another caller. */
  as(actor: Actor): MintScope & RevocationScope
}

export async function openIssuing(installation: TestInstallation, project = 'default'): Promise<Issuing> {
  await setPublicUrl(installation, PUBLIC_URL)
  const plain = await installation.scope(project)
  const source = new DatabaseSource(installation, plain.projectId)
  const verifier = await Verifier.open({ source, audience: AUDIENCE })
  const scope: MintScope & RevocationScope = {
    ...plain,
    keyring: new Keyring(installation),
    mintFacts: new MintFacts(installation),
    async waitForApplied(position) {
      while (verifier.applied === undefined || comparePositions(verifier.applied, position) < 0) {
        await nextTurn()
      }
    },
    verifyParent: (text) => verifyParent(verifier, text),
    async identifyToken(text) {
      const who = await identify(verifier, text)
      return 'kind' in who && who.kind === 'token' && 'tokenId' in who
        ? who
        : { fault: 'It is no token of ours.' }
    },
  }
  return { scope, verifier, as: (actor) => ({ ...scope, actor }) }
}
