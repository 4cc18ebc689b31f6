import { CodedError } from '../coded-error.ts'
import { MANAGEMENT_PROJECT } from '../scope.ts'

/**
 * Refuses to put customers' keys, roles or subject records into the project of the management keys: what is in
 * there manages, and nothing of a customer ever does (rules M1, M4).
 */
export function requireCustomerProject({ projectId }: { readonly projectId: string }): void {
  if (projectId !== MANAGEMENT_PROJECT) return
  throw new CodedError(
    'invalid_request',
    `The project \`${MANAGEMENT_PROJECT}\` holds management keys alone. Name another project.`,
  )
}
