import { type Change, type ChangesPage, formatPosition, type Position, parsePosition } from '@claviger/verify'
import Type from 'typebox'
import { readChange } from '../changes/change-row.ts'
import { readHead } from '../changes/read-head.ts'
import { CodedError } from '../coded-error.ts'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'

const MAX_CHANGES = 1_000

export const ReadChangesInput = Type.Object(
  {
    after: Type.String({ maxLength: 64, description: 'The last change that was applied, `epoch:number`.' }),
  },
  { additionalProperties: false },
)

/**
 * The changes of a project from right after a place (rule F1), at most 1,000. `reset`: the place is not one of this
 * history, and whoever stands there loads a snapshot (rule E1). Throws `invalid_request`.
 */
export async function readChanges(scope: Scope, input: unknown): Promise<ChangesPage> {
  await authorizeRead(scope, 'changes:read')
  const { after } = parseInput(ReadChangesInput, input)
  return changesAfter(scope, readPlace(after))
}

export function readPlace(text: string): Position {
  const position = parsePosition(text)
  if (position !== undefined) return position
  throw new CodedError('invalid_request', '`after` is no position: give one that the feed or a snapshot had.')
}

/** As {@link readChanges}, for one whose rights are known. */
export async function changesAfter(
  { reader, projectId }: Pick<Scope, 'reader' | 'projectId'>,
  after: Position,
): Promise<ChangesPage> {
  const head = await readHead(reader, projectId)
  const text = formatPosition(head)
  if (after.epoch !== head.epoch || after.number > head.number) return { reset: true, head: text }
  const rows = await reader
    .selectFrom('changes')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('epoch', '=', head.epoch)
    .where('number', '>', after.number)
    .orderBy('number')
    .limit(MAX_CHANGES)
    .execute()
  const changes: Change[] = rows.map(readChange)
  const first = changes[0]?.position.number ?? after.number + 1
  // What comes next is not kept any more.
  if (first !== after.number + 1) return { reset: true, head: text }
  const last = changes.at(-1)?.position.number ?? after.number
  return { changes, head: text, more: last < head.number }
}
