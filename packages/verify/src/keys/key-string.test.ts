import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BASE62 } from './base62.ts'
import {
  formatKeyString,
  isKeyPrefix,
  isRefreshTokenPrefix,
  isReservedKeyPrefix,
  KEY_CHECKSUM_LENGTH,
  KEY_LOCATOR_LENGTH,
  KEY_MAX_LENGTH,
  KEY_PATTERN,
  KEY_PREFIX_MAX_LENGTH,
  KEY_SECRET_LENGTH,
  looksLikeKeyString,
  parseKeyString,
} from './key-string.ts'

const LOCATOR = '0Ab9zZ7x'
const SECRET = 'abcdefghijklmnopqrstuvwxyzABCD'
const KEY = 'acme_live_0Ab9zZ7xabcdefghijklmnopqrstuvwxyzABCD3WONuO'

function base62(length: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...BASE62), minLength: length, maxLength: length })
}

const word = fc.string({ unit: fc.constantFrom(...'abcxyz0189'), minLength: 1, maxLength: 7 })
const prefix = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('_'))
const refreshPrefix = prefix.map((text) => `${text}_rt`)
const key = fc
  .record({
    prefix: fc.oneof(prefix, refreshPrefix),
    locator: base62(KEY_LOCATOR_LENGTH),
    secret: base62(KEY_SECRET_LENGTH),
  })
  .map((parts) => ({ ...parts, text: formatKeyString(parts.prefix, parts.locator, parts.secret) }))

/** The grammar of DESIGN section 7 once more, by splitting instead of by a regular expression. */
function isKeyByHand(text: string): boolean {
  const words = text.split('_')
  const body = words.pop() ?? ''
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  const longest = words.length > 1 && words.at(-1) === 'rt' ? 27 : 24
  if (words.length === 0 || words.join('_').length > longest || body.length !== 44) return false
  if (words.some((one) => one === '' || [...one].some((letter) => !letters.includes(letter)))) return false
  if ([...body].some((digit) => !BASE62.includes(digit))) return false
  const checksum = [...body.slice(-6)].reduce((sum, digit) => sum * 62 + BASE62.indexOf(digit), 0)
  return checksum === crc32(text.slice(0, -6))
}

describe('a key string', () => {
  test('is prefix, locator, secret and checksum, as written down once and for ever', () => {
    expect(formatKeyString('acme_live', LOCATOR, SECRET)).toBe(KEY)
    expect(parseKeyString(KEY)).toEqual({ prefix: 'acme_live', locator: LOCATOR, text: KEY })
  })

  test('reads back as the parts that it was made of', () => {
    fc.assert(
      fc.property(key, ({ prefix, locator, text }) => {
        expect(parseKeyString(text)).toEqual({ prefix, locator, text })
        expect(looksLikeKeyString(text)).toBe(true)
        expect(isKeyByHand(text)).toBe(true)
        expect(text.length).toBeLessThanOrEqual(KEY_MAX_LENGTH)
      }),
    )
  })

  test('is told from any other text exactly as the grammar says', () => {
    const near = key.chain(({ text }) =>
      fc
        .record({ at: fc.nat(text.length), drop: fc.nat(2), add: fc.string({ maxLength: 2 }) })
        .map(({ at, drop, add }) => text.slice(0, at) + add + text.slice(at + drop)),
    )
    fc.assert(
      fc.property(fc.oneof(near, fc.string(), fc.string({ unit: 'binary' })), (text) => {
        expect(parseKeyString(text) !== undefined).toBe(isKeyByHand(text))
      }),
      { numRuns: 1000 },
    )
  })

  test('with one character changed is no key: the checksum finds every such slip', () => {
    const slip = fc.tuple(key, fc.nat(), fc.constantFrom(...BASE62))
    fc.assert(
      fc.property(slip, ([{ text }, place, digit]) => {
        const at = place % text.length
        fc.pre(text[at] !== digit)
        expect(parseKeyString(text.slice(0, at) + digit + text.slice(at + 1))).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })

  test('with a wrong checksum still looks like one, so that a slip can be told from another text', () => {
    const slipped = `${KEY.slice(0, -1)}P`
    expect(parseKeyString(slipped)).toBeUndefined()
    expect(looksLikeKeyString(slipped)).toBe(true)
  })

  test.each([
    ['an empty text', ''],
    ['no prefix', `_${KEY.slice(10)}`],
    ['a space in front', ` ${KEY}`],
    ['a line feed at the end', `${KEY}\n`],
    ['a capital in the prefix', KEY.replace('acme', 'Acme')],
    ['two underscores in the prefix', KEY.replace('acme_live', 'acme__live')],
    ['a prefix of 25 characters', KEY.replace('acme_live', 'a'.repeat(25))],
    ['a digit of another script', KEY.replace('0', '\u0660')],
    ['a character that is a digit in its low byte', KEY.replace('0', '\u0130')],
    ['a million underscores', '_'.repeat(1_000_000)],
    ['a million letters', 'a'.repeat(1_000_000)],
  ])('is not %s', (_, text) => {
    expect(looksLikeKeyString(text)).toBe(false)
    expect(parseKeyString(text)).toBeUndefined()
  })

  test('is made of fitting parts only, and a misfit is told without showing the secret', () => {
    expect(() => formatKeyString('Acme', LOCATOR, SECRET)).toThrow(TypeError)
    expect(() => formatKeyString('a'.repeat(25), LOCATOR, SECRET)).toThrow(TypeError)
    expect(() => formatKeyString('acme', `${LOCATOR}0`, SECRET)).toThrow(TypeError)
    expect(() => formatKeyString('acme', LOCATOR, `${SECRET}\n`)).toThrow(TypeError)
    expect(() => formatKeyString('acme', LOCATOR, 'hush-hush')).toThrow(/^(?!.*hush)/)
  })

  test('has 178 bits of secret and a checksum with room for 32', () => {
    expect(Math.floor(KEY_SECRET_LENGTH * Math.log2(62))).toBe(178)
    expect(62 ** KEY_CHECKSUM_LENGTH).toBeGreaterThan(2 ** 32)
  })
})

describe('a prefix', () => {
  test.each(['ck', 'acme_live', 'a', '0', 'a_b_c', 'clv_root', 'a'.repeat(KEY_PREFIX_MAX_LENGTH)])(
    'can be %s',
    (text) => {
      expect(isKeyPrefix(text)).toBe(true)
    },
  )

  test.each(['', '_', 'a_', '_a', 'a__b', 'A', 'a-b', 'é', 'a\n', 'a'.repeat(KEY_PREFIX_MAX_LENGTH + 1)])(
    'cannot be %j',
    (text) => {
      expect(isKeyPrefix(text)).toBe(false)
    },
  )

  test('of a refresh token is that of any key with _rt behind it, though that makes it longer than a key may be', () => {
    const longest = 'a'.repeat(24)
    const text = formatKeyString(`${longest}_rt`, LOCATOR, SECRET)
    expect(parseKeyString(text)).toEqual({ prefix: `${longest}_rt`, locator: LOCATOR, text })
    expect(`before ${text} after`.replaceAll(KEY_PATTERN, '')).toBe('before  after')
    for (const prefix of [`${longest}a_rt`, `${longest}_r`, `${longest}_rta`, `${longest}art`]) {
      expect(isKeyPrefix(prefix), prefix).toBe(false)
      expect(looksLikeKeyString(text.replace(`${longest}_rt`, prefix)), prefix).toBe(false)
    }
    expect(isRefreshTokenPrefix('acme_rt')).toBe(true)
    for (const prefix of ['rt', 'art', 'acme_rt_live', 'acme']) {
      expect(isRefreshTokenPrefix(prefix), prefix).toBe(false)
    }
  })

  test('is reserved when it begins with clv or ends in _rt', () => {
    for (const text of ['clv', 'clv_root', 'clv_mgmt', 'clvx', 'acme_rt']) {
      expect(isReservedKeyPrefix(text)).toBe(true)
    }
    for (const text of ['ck', 'rt', 'acme_clv', 'acme_rt_live', 'art']) {
      expect(isReservedKeyPrefix(text)).toBe(false)
    }
  })
})

describe('the pattern for redaction', () => {
  test('leaves nothing of a key in the text around it', () => {
    fc.assert(
      fc.property(key, fc.string(), fc.string(), ({ text, secret }, before, after) => {
        expect((before + text + after).replaceAll(KEY_PATTERN, '')).not.toContain(secret)
      }),
    )
  })

  test('finds every key of a line, and leaves the line around them', () => {
    expect(`a=${KEY}, b="${KEY}".`.replaceAll(KEY_PATTERN, '[redacted]')).toBe(
      'a=[redacted], b="[redacted]".',
    )
  })

  test('takes time linear in the text', () => {
    for (const unit of ['a', '_', 'a_', 'aA', '0'.repeat(43)]) {
      const text = unit.repeat(1_000_000 / unit.length)
      expect(text.replaceAll(KEY_PATTERN, '').length).toBeLessThanOrEqual(text.length)
    }
  })
})
