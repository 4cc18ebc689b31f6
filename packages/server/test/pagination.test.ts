import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROUTES } from '../src/routes/table.ts'
import { startTestServer, type TestServer } from './test-server.ts'

let claviger: TestServer

beforeAll(async () => {
  claviger = await startTestServer()
  await claviger.call('POST', '/v1/projects', { body: { name: 'paged', algorithm: 'ES256' } })
})
afterAll(() => claviger.close())

const headers = { 'claviger-project': 'paged' }
const call = (method: string, path: string, body?: unknown) =>
  claviger.call(method, path, { headers, ...(body === undefined ? {} : { body }) })

interface List {
  /** Makes a row; answers its identity. `index` orders those lists that are sorted by name. */
  add(index: number): Promise<string>
  /** Takes it out of the list; absent where nothing ever leaves. */
  remove?(identity: string): Promise<unknown>
  readonly identity: string
  /** A filter that the rows pass. */
  readonly filter: string
}

const made = async (method: string, path: string, body: unknown) => {
  const answer = await call(method, path, body)
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
  return answer.body
}

/** How rows of each list come and go. A new list needs a line here. */
const LISTS: Readonly<Record<string, List>> = {
  listKeys: {
    add: async () => (await made('POST', '/v1/keys', { name: 'paged' })).id,
    remove: (id) => call('DELETE', `/v1/keys/${id}`),
    identity: 'id',
    filter: 'name=paged',
  },
  listManagementKeys: {
    add: async () => (await made('POST', '/v1/management-keys', { name: 'paged', preset: 'auditor' })).id,
    remove: (id) => call('DELETE', `/v1/management-keys/${id}`),
    identity: 'id',
    filter: 'name=paged',
  },
  listSessions: {
    add: async () =>
      (await made('POST', '/v1/sessions', { subject: 'paged', audience: 'https://api.example.com' })).id,
    identity: 'id',
    filter: 'subject=paged',
  },
  listAudiences: {
    add: async (index) => (await made('PUT', `/v1/audiences/audience-${index}`, {})).audience,
    remove: (audience) => call('DELETE', `/v1/audiences/${audience}`),
    identity: 'audience',
    filter: '',
  },
  listKeyShapes: {
    add: async (index) => {
      const shape = { prefix: `old${index}_`, alphabet: '0-9a-f', length: 40, hashEncoding: 'hex' }
      return (await made('PUT', `/v1/key-shapes/shape-${index}`, shape)).name
    },
    remove: (name) => call('DELETE', `/v1/key-shapes/${name}`),
    identity: 'name',
    filter: '',
  },
  listRevocations: {
    add: async (index) => (await made('POST', '/v1/revocations', { subject: `paged-${index}` })).id,
    identity: 'id',
    filter: 'kind=subject',
  },
  listRoles: {
    add: async (index) => (await made('PUT', `/v1/roles/role-${index}`, { permissions: [] })).name,
    remove: (name) => call('DELETE', `/v1/roles/${name}`),
    identity: 'name',
    filter: '',
  },
  listSubjects: {
    add: async (index) => (await made('PUT', `/v1/subjects/subject-${index}`, {})).subject,
    remove: (subject) => call('DELETE', `/v1/subjects/${subject}`),
    identity: 'subject',
    filter: 'disabled=false',
  },
  listProjects: {
    add: async (index) =>
      (await made('POST', '/v1/projects', { name: `project-${index}`, algorithm: 'ES256' })).name,
    identity: 'name',
    filter: '',
  },
  listSigningKeys: {
    add: async () => (await made('POST', '/v1/signing-keys/rotate', { algorithm: 'ES256' })).id,
    identity: 'id',
    filter: '',
  },
  listAuditEntries: {
    add: async (index) => {
      await made('PUT', `/v1/subjects/audited-${index}`, {})
      return (await call('GET', '/v1/audit?limit=1')).body.items[0].sequence
    },
    identity: 'sequence',
    filter: 'action=subject.put',
  },
}

const ROWS = 8

/** Lists: their answers are pages, of rows and not of counts (which usage-recorder.test.ts pages through). */
const LIST_ROUTES = ROUTES.filter(
  ({ method, query }) =>
    method === 'GET' &&
    query !== undefined &&
    'cursor' in query.properties &&
    !('groupBy' in query.properties),
)

describe.each(LIST_ROUTES)('$path', (route) => {
  const list = (): List => {
    const known = LISTS[route.operationId]
    if (known === undefined) throw new Error(`add the list of ${route.operationId} to LISTS`)
    return known
  }
  const page = (query: string, project = 'paged') =>
    claviger.call('GET', `${route.path}?${query}`, { headers: { 'claviger-project': project } })

  test('shows every row that is there throughout once, while others come and go between its pages', async () => {
    const { add, remove, identity, filter } = list()
    const lasting: string[] = []
    const passing: string[] = []
    for (let index = 0; index < ROWS; index++) {
      lasting.push(await add(500 + index * 10))
      if (remove !== undefined) passing.push(await add(501 + index * 10))
    }
    const seen: string[] = []
    let cursor: string | null = ''
    for (let step = 0; cursor !== null; step++) {
      const query = `limit=2&${filter}${cursor === '' ? '' : `&cursor=${cursor}`}`
      const { status, body } = await page(query)
      expect(status).toBe(200)
      const items: readonly Record<string, string>[] = body.items
      seen.push(...items.map((item) => item[identity] ?? ''))
      cursor = body.nextCursor
      // One before everything, one in the middle, and the one that the next page starts after is gone.
      if (step < 3) {
        await add(100 + step)
        await add(505 + step * 10)
      }
      const last = seen.at(-1)
      const leaving = last !== undefined && passing.includes(last) ? last : passing.pop()
      if (leaving !== undefined) await remove?.(leaving)
    }
    expect(new Set(seen).size).toBe(seen.length)
    for (const row of lasting) expect(seen).toContain(row)
  })

  test('refuses a cursor of another project, of other filters and of another list, and a damaged one', async () => {
    const first = await page('limit=1')
    const cursor: string = first.body.nextCursor
    expect(cursor).toBeTypeOf('string')
    expect((await page(`limit=2&cursor=${cursor}`)).status).toBe(200)
    const elsewhere = LIST_ROUTES.find(({ operationId }) => operationId !== route.operationId)
    const damaged = `${cursor.slice(0, -1)}${cursor.endsWith('A') ? 'B' : 'A'}`
    const middle = `${cursor.slice(0, 20)}${cursor[20] === 'A' ? 'B' : 'A'}${cursor.slice(21)}`
    const refused = [
      await page(`cursor=${damaged}`),
      await page(`cursor=${middle}`),
      await page(`cursor=${cursor.slice(1)}`),
      await page('cursor='),
      await page('cursor=nonsense'),
      await claviger.call('GET', `${elsewhere?.path}?cursor=${cursor}`, { headers }),
    ]
    if (route.operationId !== 'listProjects') refused.push(await page(`cursor=${cursor}`, 'default'))
    const { filter } = list()
    if (filter !== '') refused.push(await page(`cursor=${cursor}&${filter}`))
    for (const answer of refused) {
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    }
  })
})
