import Type from 'typebox'

const MAX_SUBJECT_LENGTH = 255

/** Who a credential speaks for: an id of the caller's own choosing, without control characters. */
export const SubjectId = Type.String({
  minLength: 1,
  maxLength: MAX_SUBJECT_LENGTH,
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
  description: 'Who the credential speaks for: an id of your own choosing.',
})
