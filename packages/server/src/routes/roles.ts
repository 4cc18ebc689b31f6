import { ListRolesInput, PageOf, PutRoleInput, RoleView } from '@claviger/engine'
import { defineRoute, type Route } from './route.ts'

const tag = 'Roles'

export const roleRoutes: readonly Route[] = [
  defineRoute({
    method: 'GET',
    path: '/v1/roles',
    verb: 'roles:read',
    operationId: 'listRoles',
    tag,
    summary: 'List roles',
    description: 'By name.',
    query: ListRolesInput,
    answer: { status: 200, description: 'One page of roles.', schema: PageOf(RoleView) },
    handle: ({ project, query }) => project.roles.list(query),
  }),
  defineRoute({
    method: 'PUT',
    path: '/v1/roles/{name}',
    verb: 'roles:write',
    operationId: 'putRole',
    tag,
    summary: 'Write a role',
    description:
      'Creates the role or replaces its permissions. Whatever has the role holds them from the next verification on.',
    body: PutRoleInput,
    answer: { status: 200, description: 'The role as it is now.', schema: RoleView },
    problems: ['exceeds_grants', 'name_retired', 'cap_reached'],
    handle: ({ project, params, body }) => project.roles.put(params.name, body),
  }),
  defineRoute({
    method: 'GET',
    path: '/v1/roles/{name}',
    verb: 'roles:read',
    operationId: 'readRole',
    tag,
    summary: 'Read a role',
    description: 'The role with its permissions.',
    answer: { status: 200, description: 'The role.', schema: RoleView },
    handle: ({ project, params }) => project.roles.read(params.name),
  }),
  defineRoute({
    method: 'DELETE',
    path: '/v1/roles/{name}',
    verb: 'roles:write',
    operationId: 'deleteRole',
    tag,
    summary: 'Delete a role',
    description: 'It confers nothing from the next verification on, and its name is never used again.',
    answer: { status: 204, description: 'The role is gone.' },
    handle: ({ project, params }) => project.roles.delete(params.name),
  }),
]
