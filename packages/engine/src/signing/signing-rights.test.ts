import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EMBEDDER, managementKey } from '../../test/installation.ts'
import { type KeyringPlace, openKeyringPlace } from '../../test/keyring-place.ts'
import type { Project } from '../project.ts'

let here: KeyringPlace

beforeAll(async () => {
  here = await openKeyringPlace()
})
afterAll(() => here.close())

describe('who may move signing keys (M3, M6)', () => {
  async function actorWith(input: Record<string, unknown>): Promise<Project> {
    const { id } = await here.engine.project('default').managementKeys.create({ name: 'caller', ...input })
    return here.engine.project('default', managementKey(id))
  }
  const key = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' })
  const calls: Readonly<Record<string, (project: Project) => Promise<unknown>>> = {
    'making one': ({ signingKeys }) => signingKeys.create({ algorithm: 'ES256' }),
    'importing one': ({ signingKeys }) => signingKeys.create({ algorithm: 'Ed25519', key }),
    'rotating a ring': ({ signingKeys }) => signingKeys.rotate(),
    'setting the schedule': ({ signingKeys }) => signingKeys.setSchedule({ periodSeconds: 86_400 }),
  }

  test.each(Object.entries(calls))('%s needs the verb and the grant *:*', async (_what, call) => {
    const without = await actorWith({ preset: 'backend', grants: ['*:*'] })
    await expect(call(without)).rejects.toMatchObject({ code: 'forbidden' })
    for (const grants of [[], ['documents:*'], ['*:read', '*:write']]) {
      const narrow = await actorWith({ verbs: ['signing-keys:write'], grants })
      await expect(call(narrow)).rejects.toMatchObject({ code: 'exceeds_grants' })
    }
    const wide = await actorWith({ verbs: ['signing-keys:write'], grants: ['*:*'] })
    await expect(call(wide)).resolves.toBeDefined()
  })

  test('retiring one needs the verb of revocations alone: it takes away', async () => {
    const { signingKeys } = here.engine.project('default', EMBEDDER)
    const { items } = await signingKeys.list({ status: 'active', algorithm: 'RS256' })
    const input = { signingKeyId: items[0]?.id }
    const writer = await actorWith({ verbs: ['signing-keys:write'], grants: ['*:*'] })
    await expect(writer.revocations.create(input)).rejects.toMatchObject({ code: 'forbidden' })
    const revoker = await actorWith({ verbs: ['revocations:write'] })
    expect(await revoker.revocations.create(input)).toMatchObject({ effective: true })
  })

  test('the project of the management keys has none', async () => {
    const management = here.engine.project('claviger')
    for (const call of Object.values(calls)) {
      await expect(call(management)).rejects.toMatchObject({ code: 'invalid_request' })
    }
  })
})
