import type { Engine, ManagementCaller, Project } from '@claviger/engine'
import { expect, test } from 'vitest'
import { FeedHub } from './feed-hub.ts'

const PLACE = { epoch: '1-aaaaaaaa', number: 0 }

test('F3: a key that is revoked while streams are being looked at has its own ended at once, too', async () => {
  const callers = ['looked at before', 'looked at now'].map((keyId) => ({ keyId }) as ManagementCaller)
  const revoked = new Set<string>()
  let tellChange = (): void => undefined
  let answer = (): void => undefined
  // An engine that takes its time where the test wants it to.
  const engine = {
    bootId: 'boot',
    onChanges: (_: string, listener: () => void) => {
      tellChange = listener
      return () => undefined
    },
    reauthenticate: async ({ keyId }: ManagementCaller) => {
      if (keyId === 'looked at now' && !revoked.has(keyId)) {
        await new Promise<void>((resolve) => {
          answer = resolve
        })
      }
      return revoked.has(keyId) ? { ok: false, code: 'revoked' } : { ok: true, verbs: ['changes:read'] }
    },
  } as unknown as Engine
  const project = {
    name: 'default',
    onChanges: () => () => undefined,
    edge: { readChanges: async () => ({ changes: [], head: '1-aaaaaaaa:0', more: false }) },
  } as unknown as Project

  const hub = new FeedHub(engine)
  const streams = callers.map((caller) => hub.open(project, { caller, after: PLACE }))
  const ended = streams.map((stream) => new Promise((resolve) => stream.resume().once('end', resolve)))
  tellChange()
  await new Promise(setImmediate)
  revoked.add('looked at before')
  tellChange()
  await new Promise(setImmediate)
  revoked.add('looked at now')
  answer()
  await Promise.all(ended)
  expect(streams.map(({ readableEnded }) => readableEnded)).toEqual([true, true])
  hub.close()
})
