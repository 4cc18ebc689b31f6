import type { PermissionQuery } from './permission-query.ts'

/** The query in its one normal spelling: single spaces, no parentheses that are not needed. */
export function formatPermissionQuery(query: PermissionQuery): string {
  if (query.type === 'permission') return query.text
  return query.operands
    .map((operand) => {
      const text = formatPermissionQuery(operand)
      return query.type === 'and' && operand.type === 'or' ? `(${text})` : text
    })
    .join(` ${query.type} `)
}
