import Type from 'typebox'

export const VerifierId = Type.String({
  pattern: '^[A-Za-z0-9_-]{16,64}$',
  description: 'Random: no two verifiers have the same, nor one before and after a restart.',
})
