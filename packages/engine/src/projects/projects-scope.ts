import type { Scope } from '../scope.ts'

/** Where operations on projects themselves work: in none of them. */
export type ProjectsScope = Omit<Scope, 'projectId' | 'project' | 'keyPrefix'>
