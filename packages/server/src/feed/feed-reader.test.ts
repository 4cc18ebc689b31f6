import type { ManagementCaller } from '@claviger/engine'
import { expect, test } from 'vitest'
import { writeEvent } from './feed-event.ts'
import { FeedReader } from './feed-reader.ts'

const LAST_WORD = writeEvent('end', { code: 'revoked' })

async function openReader(): Promise<FeedReader> {
  const caller = {} as ManagementCaller
  const reader = new FeedReader({ caller, projectName: 'default', after: { epoch: '1-aaaaaaaa', number: 0 } })
  await reader.catchUp(async () => ({ changes: [], head: '1-aaaaaaaa:0', more: false }))
  return reader
}

test('F3: nothing is written after a last word that was not read yet', async () => {
  const reader = await openReader()
  const errors: Error[] = []
  reader.body.on('error', (error) => errors.push(error))
  reader.end(LAST_WORD)
  reader.beat()
  reader.say('more')
  reader.end(LAST_WORD)
  reader.offer({ position: { epoch: '1-aaaaaaaa', number: 1 }, text: 'a change' })
  expect(await reader.body.toArray()).toEqual([LAST_WORD])
  expect(errors).toEqual([])
})

test('F3: whoever does not read a last word is cut all the same', async () => {
  const reader = await openReader()
  reader.end(LAST_WORD)
  for (let seconds = 0; seconds < 10; seconds++) reader.beat()
  expect(reader.body.destroyed).toBe(false)
  reader.beat()
  expect(reader.body.destroyed).toBe(true)
})
