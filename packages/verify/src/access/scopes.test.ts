import { describe, expect, test } from 'vitest'
import { OPENID_SCOPES, readScopes } from './scopes.ts'

describe('scopes', () => {
  test('R3: the scopes of OpenID Connect carry no permission', () => {
    const scopes = readScopes(['openid', 'profile', 'email', 'address', 'phone', 'offline_access'])
    expect(scopes).toEqual({ permissions: [], openid: [...OPENID_SCOPES], invalid: [] })
  })

  test('R3: any other scope without a colon is invalid', () => {
    expect(readScopes(['admin', 'documents:read', 'openid']).invalid).toEqual(['admin'])
  })

  test('R1: a scope with a colon that is no permission is invalid', () => {
    expect(readScopes(['a:b:c', 'Documents:read', 'openid:*']).invalid).toEqual(['a:b:c', 'Documents:read'])
  })

  test('R3: what is left keeps its order and appears once', () => {
    expect(readScopes(['b:*', 'openid', 'a:read', 'b:*']).permissions).toEqual(['b:*', 'a:read'])
  })
})
