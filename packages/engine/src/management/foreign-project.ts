import { CodedError } from '../coded-error.ts'

/**
 * A caller named a project that its management key is not bound to. It is answered like one that does not exist (rule
 * M2), and audited as a refused call, which a mistyped name is not.
 */
export class ForeignProject extends CodedError {
  constructor(detail = 'There is no project of this name.') {
    super('not_found', detail)
  }
}
