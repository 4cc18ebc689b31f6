import { ListSubjectsInput, PageOf, PatchSubjectInput, PutSubjectInput, SubjectView } from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

const tag = 'Subjects'

export const subjectRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/v1/subjects',
    verb: 'subjects:read',
    operationId: 'listSubjects',
    tag,
    summary: 'List subject records',
    description: 'By subject. A subject needs no record; without one it is not listed.',
    query: ListSubjectsInput,
    answer: { status: 200, description: 'One page of records.', schema: PageOf(SubjectView) },
    handle: ({ project, query }) => project.subjects.list(query),
  }),
  defineRoute({
    method: 'PUT',
    path: '/v1/subjects/{subject}',
    verb: 'subjects:write',
    operationId: 'putSubject',
    tag,
    summary: 'Write a subject record',
    description:
      "Creates or replaces the record. Where it lists roles or permissions, those of the subject's credentials count only while the record covers them. A list that is absent does not bound.",
    body: PutSubjectInput,
    answer: { status: 200, description: 'The record as it is now.', schema: SubjectView },
    problems: ['exceeds_grants', 'cap_reached'],
    handle: ({ project, params, body }) => project.subjects.put(params.subject, body),
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/subjects/{subject}',
    verb: 'subjects:write',
    operationId: 'patchSubject',
    tag,
    summary: 'Change a subject record',
    description: 'Members that are absent stay as they are; a list that is null does not bound any more.',
    body: PatchSubjectInput,
    answer: { status: 200, description: 'The record as it is now.', schema: SubjectView },
    problems: ['exceeds_grants'],
    handle: ({ project, params, body }) => project.subjects.patch(params.subject, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/subjects/{subject}',
    verb: 'subjects:read',
    operationId: 'readSubject',
    tag,
    summary: 'Read a subject record',
    description: 'The record that bounds and describes the subject.',
    answer: { status: 200, description: 'The record.', schema: SubjectView },
    handle: ({ project, params }) => project.subjects.read(params.subject),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/subjects/{subject}',
    verb: 'subjects:write',
    operationId: 'deleteSubject',
    tag,
    summary: 'Delete a subject record',
    description:
      'The subject is not bounded any more, so the management key needs grants that cover everything. Its credentials stay.',
    answer: { status: 204, description: 'The record is gone.' },
    problems: ['exceeds_grants'],
    handle: ({ project, params }) => project.subjects.delete(params.subject),
  }),
]
