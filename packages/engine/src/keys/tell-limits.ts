import type { Command } from '../commands/command.ts'
import { authorize } from '../management/authorize.ts'
import { clientFact, isIssuing } from './client-fact.ts'
import { loadLiveKey } from './key.ts'

interface TellLimitsArgs {
  readonly projectId: string
  readonly id: string
}

/**
 * Tells verifiers the limits of a key by its id, before the first token is derived from it: they know a key by its text
 * alone, and are to count the token with it (rule V5). Once for each key; what changes later is told with the change.
 */
export const tellLimitsCommand: Command<TellLimitsArgs, null> = async (context, { projectId, id }) => {
  await authorize(context, projectId, 'tokens:mint')
  if (await isIssuing(context.db, id)) return null
  const key = await loadLiveKey(context.db, { kind: 'customer', projectId }, id)
  await context.db.insertInto('issuing_keys').values({ key_id: id }).execute()
  await context.emit(projectId, clientFact(key))
  await context.audit({ projectId, action: 'key.issue', target: id, detail: { subject: key.subject } })
  return null
}
