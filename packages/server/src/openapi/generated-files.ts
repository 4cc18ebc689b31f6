import { ROUTES } from '../routes/table.ts'
import { VERSION } from '../version.ts'
import { openApiDocument } from './document.ts'
import { problemsPage } from './problems-page.ts'

/** What is generated from the route table and the error table, and committed. */
export const GENERATED_FILES = [
  {
    url: new URL('../../../client/openapi.json', import.meta.url),
    content: (): string => `${JSON.stringify(openApiDocument(ROUTES, VERSION), null, 2)}\n`,
  },
  {
    url: new URL('../../../../docs/reference/problems.md', import.meta.url),
    content: problemsPage,
  },
] as const
