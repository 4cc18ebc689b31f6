import fc from 'fast-check'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { systemRandom } from '../random.ts'
import { loadMasterKey } from './master-key.ts'
import { createSealer, type Sealer } from './seal.ts'

const place = { purpose: 'signing-key', row: 'sig_1' }
const plain = Buffer.from('sentinel private key')

function sealer(fill: number): Sealer {
  const text = Buffer.alloc(32, fill).toString('base64url')
  const random = systemRandom()
  const masterKey = loadMasterKey({ folder: temporaryFolder(), databaseFile: 'none', text, random })
  return createSealer(masterKey, random)
}

test('what was sealed opens in its own place, and does not show', () => {
  const sealed = sealer(1).seal(place, plain)
  expect(Buffer.from(sealed).includes('sentinel')).toBe(false)
  expect(Buffer.from(sealer(1).open(place, sealed))).toEqual(plain)
})

test('a sealed value moved to another row or purpose does not open', () => {
  const { seal, open } = sealer(1)
  const sealed = seal(place, plain)
  expect(() => open({ ...place, row: 'sig_2' }, sealed)).toThrow(/does not open/)
  expect(() => open({ ...place, purpose: 'webhook' }, sealed)).toThrow(/does not open/)
})

test('another master key opens nothing', () => {
  const sealed = sealer(1).seal(place, plain)
  expect(() => sealer(2).open(place, sealed)).toThrow(/does not open/)
})

test('an altered or shortened value does not open, wherever it was altered', () => {
  const { seal, open } = sealer(1)
  const sealed = seal(place, plain)
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const altered = Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ mask : byte))
      expect(() => open(place, altered)).toThrow(/does not open/)
      expect(() => open(place, sealed.subarray(0, at))).toThrow(/does not open/)
    }),
  )
})

test('the same value sealed twice looks different', () => {
  const { seal } = sealer(1)
  expect(seal(place, plain)).not.toEqual(seal(place, plain))
})
