import { deleteAudienceCommand } from '../audiences/delete-audience.ts'
import { putAudienceCommand } from '../audiences/put-audience.ts'
import { makeAuditCheckpointsCommand } from '../audit/make-checkpoints.ts'
import { pruneAuditCommand } from '../audit/prune-entries.ts'
import { recordRefusalsCommand } from '../audit/record-refusals.ts'
import { coverGrantsCommand } from '../edge/cover-grants.ts'
import { deleteKeyShapeCommand } from '../key-shapes/delete-key-shape.ts'
import { putKeyShapeCommand } from '../key-shapes/put-key-shape.ts'
import { changeKeyCommand } from '../keys/change-key.ts'
import { createKeyCommand } from '../keys/create-key.ts'
import { deleteKeyCommand } from '../keys/delete-key.ts'
import { importKeysCommand } from '../keys/import-keys.ts'
import { revokeKeyCommand } from '../keys/revoke-key.ts'
import { rotateKeyCommand } from '../keys/rotate-key.ts'
import { tellLimitsCommand } from '../keys/tell-limits.ts'
import { pruneLimitCountersCommand } from '../limits/prune-limit-counters.ts'
import { reserveUnitsCommand } from '../limits/reserve-units.ts'
import { changeManagementKeyCommand } from '../management/change-management-key.ts'
import { createManagementKeyCommand } from '../management/create-management-key.ts'
import { deleteManagementKeyCommand } from '../management/delete-management-key.ts'
import { revokeManagementKeyCommand } from '../management/revoke-management-key.ts'
import { resetRootKeyCommand } from '../management/root-key.ts'
import { rotateManagementKeyCommand } from '../management/rotate-management-key.ts'
import { changeProjectCommand } from '../projects/change-project.ts'
import { createProjectCommand } from '../projects/create-project.ts'
import { installCommand } from '../projects/install.ts'
import { createRevocationCommand } from '../revocation/create-revocation.ts'
import { liftBanCommand } from '../revocation/lift-ban.ts'
import { deleteRoleCommand } from '../roles/delete-role.ts'
import { putRoleCommand } from '../roles/put-role.ts'
import { createSessionCommand } from '../sessions/create-session.ts'
import { pruneSessionsCommand } from '../sessions/prune-sessions.ts'
import { refreshSessionCommand } from '../sessions/refresh-session.ts'
import { revokeSessionCommand } from '../sessions/revoke-session.ts'
import { addSigningKeyCommand } from '../signing/add-signing-key.ts'
import { createSigningKeyCommand } from '../signing/create-signing-key.ts'
import { setPublicUrlCommand } from '../signing/public-url.ts'
import { rotateSigningKeyCommand } from '../signing/rotate-signing-key.ts'
import { setSigningScheduleCommand } from '../signing/signing-schedule.ts'
import { turnRingCommand } from '../signing/turn-ring.ts'
import { deleteSubjectCommand } from '../subjects/delete-subject.ts'
import { patchSubjectCommand } from '../subjects/patch-subject.ts'
import { putSubjectCommand } from '../subjects/put-subject.ts'
import { pruneUsageCommand } from '../usage/prune-usage.ts'
import { recordUsageCommand } from '../usage/record-usage.ts'
import { storeUsageBatchCommand } from '../usage/store-usage-batch.ts'
import type { Command } from './command.ts'

/** Any set of named commands. */
export type CommandMap = Readonly<Record<string, Command<never, unknown>>>

/**
 * Every command, by the name that `Writer.run` is called with. The writer thread runs no other.
 * A line is `'create-key': createKeyCommand`; arguments and result are checked by these types on the caller's side.
 */
export const commands = {
  'change-key': changeKeyCommand,
  'create-key': createKeyCommand,
  'delete-key': deleteKeyCommand,
  'import-keys': importKeysCommand,
  'revoke-key': revokeKeyCommand,
  'rotate-key': rotateKeyCommand,
  'tell-limits': tellLimitsCommand,
  'delete-key-shape': deleteKeyShapeCommand,
  'put-key-shape': putKeyShapeCommand,
  'cover-grants': coverGrantsCommand,
  'change-management-key': changeManagementKeyCommand,
  'create-management-key': createManagementKeyCommand,
  'delete-management-key': deleteManagementKeyCommand,
  'revoke-management-key': revokeManagementKeyCommand,
  'rotate-management-key': rotateManagementKeyCommand,
  'reset-root-key': resetRootKeyCommand,
  'create-project': createProjectCommand,
  'change-project': changeProjectCommand,
  install: installCommand,
  'delete-role': deleteRoleCommand,
  'put-role': putRoleCommand,
  'delete-subject': deleteSubjectCommand,
  'patch-subject': patchSubjectCommand,
  'put-subject': putSubjectCommand,
  'create-session': createSessionCommand,
  'refresh-session': refreshSessionCommand,
  'revoke-session': revokeSessionCommand,
  'delete-audience': deleteAudienceCommand,
  'put-audience': putAudienceCommand,
  'add-signing-key': addSigningKeyCommand,
  'create-signing-key': createSigningKeyCommand,
  'rotate-signing-key': rotateSigningKeyCommand,
  'set-signing-schedule': setSigningScheduleCommand,
  'turn-ring': turnRingCommand,
  'set-public-url': setPublicUrlCommand,
  'create-revocation': createRevocationCommand,
  'lift-ban': liftBanCommand,
  'prune-limit-counters': pruneLimitCountersCommand,
  'prune-sessions': pruneSessionsCommand,
  'prune-usage': pruneUsageCommand,
  'reserve-units': reserveUnitsCommand,
  'record-usage': recordUsageCommand,
  'store-usage-batch': storeUsageBatchCommand,
  'make-audit-checkpoints': makeAuditCheckpointsCommand,
  'prune-audit': pruneAuditCommand,
  'record-refusals': recordRefusalsCommand,
} as const satisfies CommandMap

export type Commands = typeof commands

export type ArgsOf<Named> = Named extends Command<infer Args, unknown> ? Args : never
export type ResultOf<Named> = Named extends Command<never, infer Result> ? Result : never
