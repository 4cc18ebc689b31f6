import { describe, expect, test } from 'vitest'
import { PRESET_NAMES, PRESETS, VERBS } from './verbs.ts'

describe('verbs (rule M6)', () => {
  test('are the seven actions, and read and write of fourteen resources', () => {
    expect(VERBS).toHaveLength(7 + 2 * 14)
    expect(new Set(VERBS).size).toBe(VERBS.length)
    expect(VERBS).toContain('credentials:verify')
    expect(VERBS).toContain('management-keys:write')
  })

  test('have presets of known verbs, each named once', () => {
    expect([...PRESET_NAMES].sort()).toEqual(Object.keys(PRESETS).sort())
    for (const name of PRESET_NAMES) {
      for (const verb of PRESETS[name]) expect(VERBS).toContain(verb)
    }
  })

  test('the auditor reads everything and writes nothing', () => {
    expect(PRESETS.auditor.every((verb) => verb.endsWith(':read'))).toBe(true)
    expect(PRESETS.auditor).toHaveLength(14)
  })

  test('no preset manages management keys or projects', () => {
    for (const name of PRESET_NAMES) {
      expect(PRESETS[name]).not.toContain('management-keys:write')
      expect(PRESETS[name]).not.toContain('projects:write')
    }
  })
})
