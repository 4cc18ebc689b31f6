import {
  ChangeProjectInput,
  CreateProjectInput,
  ListProjectsInput,
  PageOf,
  ProjectView,
} from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

const tag = 'Projects'

export const projectRoutes: readonly Route[] = [
  defineRoute({
    method: 'POST',
    path: '/v1/projects',
    verb: 'projects:write',
    operationId: 'createProject',
    tag,
    summary: 'Create a project',
    description: 'A tenant with a feed, roles, keys and an issuer of its own. Only root creates projects.',
    body: CreateProjectInput,
    answer: { status: 201, description: 'The project.', schema: ProjectView },
    problems: ['already_exists', 'cap_reached'],
    handle: ({ engine, caller, once, body }) => engine.projects(caller.actor, once).create(body),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/projects',
    verb: 'projects:read',
    operationId: 'listProjects',
    tag,
    summary: 'List projects',
    description: 'By name: for a management key that is bound to a project, that one alone.',
    query: ListProjectsInput,
    answer: { status: 200, description: 'One page of projects.', schema: PageOf(ProjectView) },
    handle: ({ engine, caller, query }) => engine.projects(caller.actor).list(query),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/projects/{name}',
    verb: 'projects:read',
    operationId: 'readProject',
    tag,
    summary: 'Read a project',
    description: 'What is set for the project.',
    answer: { status: 200, description: 'The project.', schema: ProjectView },
    handle: ({ engine, caller, params }) => engine.projects(caller.actor).read(params.name),
  }),
  defineRoute({
    method: 'PATCH',
    path: '/v1/projects/{name}',
    verb: 'projects:write',
    operationId: 'changeProject',
    tag,
    summary: 'Change what a project may hold',
    description:
      'Caps keep a program that has gone wild from filling the disk. Only root changes them. A cap below what there is takes nothing away.',
    body: ChangeProjectInput,
    answer: { status: 200, description: 'The project as it is now.', schema: ProjectView },
    handle: ({ engine, caller, once, params, body }) =>
      engine.projects(caller.actor, once).change(params.name, body),
  }),
]
