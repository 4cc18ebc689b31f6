import {
  AuditChainPart,
  AuditEntryView,
  AuditKeyView,
  AuditVerification,
  ListAuditInput,
  PageOf,
  PruneAuditInput,
  PrunedAudit,
  ReadAuditChainInput,
} from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

const tag = 'Audit'

export const auditRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/v1/audit',
    verb: 'audit:read',
    operationId: 'listAuditEntries',
    tag,
    summary: 'List audit entries',
    description:
      'What was done in the project or refused, by whom and from where, the newest first. Calls without a known management key are in the project `claviger`, an entry an address and minute.',
    query: ListAuditInput,
    answer: { status: 200, description: 'One page of entries.', schema: PageOf(AuditEntryView) },
    handle: ({ project, query }) => project.audit.list(query),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/audit/verify',
    verb: 'audit:read',
    operationId: 'verifyAudit',
    tag,
    summary: 'Check the audit chain',
    description:
      'Computes the whole chain of the project anew and compares it with its checkpoints: about 100,000 entries a second. What is wrong is in the answer, which is 200 all the same.',
    answer: { status: 200, description: 'What was found.', schema: AuditVerification },
    handle: ({ project }) => project.audit.verify(),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/audit/chain',
    verb: 'audit:read',
    operationId: 'readAuditChain',
    tag,
    summary: 'Read the audit chain',
    description:
      'Entries in their order, with their MACs and the checkpoints that speak for them: for an export that can be checked later.',
    query: ReadAuditChainInput,
    answer: { status: 200, description: 'A part of the chain.', schema: AuditChainPart },
    handle: ({ project, query }) => project.audit.readChain(query),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/audit/key',
    verb: 'audit:read',
    operationId: 'readAuditKey',
    tag,
    summary: 'Read the audit key',
    description: 'The public key that audit checkpoints are checked with, one for the installation.',
    answer: { status: 200, description: 'The key.', schema: AuditKeyView },
    handle: ({ project }) => project.audit.readKey(),
  }),
  defineRoute({
    method: 'POST',
    path: '/v1/audit/prune',
    verb: 'audit:write',
    operationId: 'pruneAudit',
    once: false,
    tag,
    summary: 'Remove old audit entries',
    description:
      'Removes the entries from before a time that lies a day or more in the past. A signed record of the last one stays, from which the chain can still be checked. Without this, entries are kept for ever.',
    body: PruneAuditInput,
    answer: { status: 200, description: 'What was removed.', schema: PrunedAudit },
    handle: ({ project, body }) => project.audit.prune(body),
  }),
]
