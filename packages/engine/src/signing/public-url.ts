import { type IssuersFact, MAX_TOKEN_LIFE_SECONDS } from '@claviger/verify'
import type { Kysely } from 'kysely'
import { CodedError } from '../coded-error.ts'
import type { Command } from '../commands/command.ts'
import { DEFAULT_PROJECT, type EngineParts, MANAGEMENT_PROJECT } from '../scope.ts'
import type { Schema } from '../storage/schema.ts'

export const DEFAULT_PUBLIC_URL = 'http://127.0.0.1:2528'

/** The hosts that plain HTTP reaches without leaving the machine, as a URL spells them. */
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** What the issuer of a project other than `default` ends in. */
const PROJECT_PATH = /\/p\/[^/]*$/

interface SetPublicUrlArgs {
  readonly url: string
}

/** What a project's tokens have as `iss` (RFC 8414, section 3): `default`'s is the public URL itself. */
export function issuerOf(publicUrl: string, project: string): string {
  return project === DEFAULT_PROJECT ? publicUrl : `${publicUrl}/p/${project}`
}

/**
 * Checks a public URL, and answers it. Issuers are compared character by character (RFC 8414, section 3.3), so it must
 * be written the one way that a URL parser writes it. Throws `invalid_request`.
 */
export function checkPublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw refused('is no URL. Write it as in https://auth.example.com.')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname))) {
    throw refused('must begin with https://. Plain http:// is for loopback addresses.')
  }
  if (url.username !== '' || url.password !== '') throw refused('must hold no user name or password.')
  if (/[?#]/.test(text)) throw refused('must have no query and no fragment.')
  if (text.endsWith('/')) throw refused('must not end with a slash.')
  if (PROJECT_PATH.test(url.pathname)) throw refused('must not end like the issuer of a project: /p/<name>.')
  const canonical = url.href.replace(/\/$/, '')
  if (canonical !== text) throw refused(`must be written ${canonical}.`)
  return text
}

/**
 * Sets the address that issuers are derived from. Another address makes new issuers in every project; the former ones
 * are accepted until the last token that they could have signed has expired.
 */
export async function setPublicUrl({ writer, reader }: EngineParts, url: string): Promise<void> {
  checkPublicUrl(url)
  if ((await currentPublicUrl(reader)) === url) return
  await writer.run('set-public-url', { url }, { kind: 'installation' })
}

/** The address that issuers are derived from now; undefined before the first was set. */
export async function currentPublicUrl(db: Kysely<Schema>): Promise<string | undefined> {
  const row = await db
    .selectFrom('public_urls')
    .select('url')
    .where('until_ms', 'is', null)
    .executeTakeFirst()
  return row?.url
}

export const setPublicUrlCommand: Command<SetPublicUrlArgs, null> = async (context, { url }) => {
  if (context.actor.kind === 'management-key') {
    throw new CodedError('forbidden', 'The public URL is set where Claviger is started, and there alone.')
  }
  const { db, nowMs } = context
  // Locks before it looks (rule C2). This project's id is the first of those that are locked below, in their order.
  await context.position(MANAGEMENT_PROJECT)
  const before = await currentPublicUrl(db)
  if (before === url) return null
  const untilMs = nowMs + MAX_TOKEN_LIFE_SECONDS * 1000
  await db.updateTable('public_urls').set({ until_ms: untilMs }).where('until_ms', 'is', null).execute()
  await db
    .insertInto('public_urls')
    .values({ url, since_ms: nowMs, until_ms: null })
    .onConflict((conflict) => conflict.column('url').doUpdateSet({ since_ms: nowMs, until_ms: null }))
    .execute()
  for (const { id, name } of await db.selectFrom('projects').select(['id', 'name']).orderBy('id').execute()) {
    await context.emit(id, await issuersFact(db, name, nowMs))
  }
  await context.audit({
    projectId: MANAGEMENT_PROJECT,
    action: 'installation.public-url',
    target: url,
    detail: { before: before ?? null },
  })
  return null
}

/** The issuers of a project whose tokens are accepted now, the current one first. */
export async function issuersFact(db: Kysely<Schema>, project: string, nowMs: number): Promise<IssuersFact> {
  const rows = await db
    .selectFrom('public_urls')
    .select(['url', 'until_ms'])
    .where(({ eb, or }) => or([eb('until_ms', 'is', null), eb('until_ms', '>', nowMs)]))
    .execute()
  const own = rows
    .sort((a, b) => (b.until_ms ?? Number.POSITIVE_INFINITY) - (a.until_ms ?? Number.POSITIVE_INFINITY))
    .map(({ url, until_ms }) => ({ url: issuerOf(url, project), acceptUntilMs: until_ms }))
  return { type: 'issuers', own }
}

function refused(reason: string): CodedError {
  return new CodedError('invalid_request', `The public URL ${reason}`)
}
