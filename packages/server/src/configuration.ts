import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { CodedError } from '@claviger/engine'
import { parseCidr } from '@claviger/verify'
import Type, { type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

/** How a server is started. The same names serve as flags, in the environment and in `claviger.json`. */
export const Configuration = Type.Object(
  {
    host: Type.String({ minLength: 1, description: 'The address to listen on.', default: '127.0.0.1' }),
    port: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description: 'The port to listen on; 0: any free one.',
      default: 2528,
    }),
    data: Type.String({
      minLength: 1,
      description: 'The folder for the database, the master key and the root key.',
      default: 'claviger-data',
    }),
    database: Type.Optional(
      Type.String({
        pattern: '^sqlite:.+$',
        description: 'The database, as sqlite:FILE. By default claviger.db in the data folder.',
      }),
    ),
    publicUrl: Type.Optional(
      Type.String({
        pattern: '^https?://',
        description: 'The address that clients reach, and so the issuer. By default the one listened on.',
      }),
    ),
    trustProxy: Type.Array(Type.String(), {
      description: 'CIDR blocks of the proxies whose X-Forwarded-For is believed.',
      default: [],
    }),
    tlsCert: Type.Optional(
      Type.String({ minLength: 1, description: 'A PEM file with the certificate and its chain.' }),
    ),
    tlsKey: Type.Optional(
      Type.String({ minLength: 1, description: 'A PEM file with the private key of the certificate.' }),
    ),
    insecureHttp: Type.Boolean({
      description: 'Serve plain HTTP beyond loopback: whoever is on the way can read every credential.',
      default: false,
    }),
    metricsPort: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description: 'Serve /metrics without a credential on a port of its own; 0: any free one.',
      }),
    ),
    metricsHost: Type.String({
      minLength: 1,
      description: 'The address of the metrics port.',
      default: '127.0.0.1',
    }),
    usageDays: Type.Integer({
      minimum: 1,
      maximum: 3_660,
      description: 'For how many days usage by the day is kept; by the hour at most 35, by the minute 2.',
      default: 400,
    }),
    logLevel: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'], {
      description: 'The least serious log line that is written.',
      default: 'info',
    }),
  },
  { additionalProperties: false },
)
export type Configuration = Static<typeof Configuration>

/** All settings, with the defaults filled in and paths made absolute. */
export type CompleteConfiguration = Configuration & { readonly database: string }

export type ConfigurationName = keyof Configuration

export const CONFIGURATION_NAMES = Object.keys(Configuration.properties) as readonly ConfigurationName[]

export interface ConfigurationSources {
  /** As a command line gives them, by their camelCase names; undefined values count as absent. */
  readonly flags: Readonly<Record<string, unknown>>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where `claviger.json` is looked for, and what relative paths are relative to. */
  readonly workingDirectory: string
}

/**
 * Flags count first, then the environment (`CLAVIGER_PUBLIC_URL` for `publicUrl`), then `claviger.json`, then
 * the defaults. Flags and members of the file that nobody knows are refused by name. Variables are not: an
 * orchestrator adds its own of the same prefix, such as `CLAVIGER_SERVICE_HOST`.
 * Throws `invalid_request`, which says where the wrong value stands.
 */
export function readConfiguration(sources: ConfigurationSources): CompleteConfiguration {
  const file = readFile(join(sources.workingDirectory, 'claviger.json'))
  refuseUnknown(Object.keys(sources.flags), (name) => `\`--${kebab(name)}\` is no flag of the server.`)
  refuseUnknown(Object.keys(file), (name) => `\`${name}\` in claviger.json is no setting.`)

  const settings: Record<string, unknown> = {}
  for (const name of CONFIGURATION_NAMES) {
    const found = find(name, sources, file)
    if (found !== undefined) settings[name] = read(name, found)
  }
  return completeConfiguration(settings, sources.workingDirectory)
}

/** Fills in the defaults, makes paths absolute, and checks what only shows between settings. */
export function completeConfiguration(
  settings: Partial<Configuration>,
  workingDirectory: string,
): CompleteConfiguration {
  const defaults = Object.fromEntries(
    Object.entries(Configuration.properties).flatMap(([name, schema]) =>
      'default' in schema ? [[name, schema.default]] : [],
    ),
  )
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
  const merged = { ...defaults, ...given }
  if (!isConfiguration.Check(merged)) {
    throw new CodedError('invalid_request', 'The settings are not valid: read them with readConfiguration.')
  }
  checkTogether(merged)
  const path = (text: string): string => resolve(workingDirectory, text)
  const data = path(merged.data)
  return {
    ...merged,
    data,
    database: `sqlite:${merged.database === undefined ? join(data, 'claviger.db') : path(merged.database.slice('sqlite:'.length))}`,
    ...(merged.publicUrl === undefined ? {} : { publicUrl: normalizePublicUrl(merged.publicUrl) }),
    ...(merged.tlsCert === undefined ? {} : { tlsCert: path(merged.tlsCert) }),
    ...(merged.tlsKey === undefined ? {} : { tlsKey: path(merged.tlsKey) }),
  }
}

/** The environment variable of a setting: `CLAVIGER_TRUST_PROXY`. */
export function environmentName(name: ConfigurationName): string {
  return `CLAVIGER_${kebab(name).replaceAll('-', '_').toUpperCase()}`
}

const isConfiguration = Compile(Configuration)

/** A value and the place where it stands, to be named when it is wrong. */
interface Found {
  readonly value: unknown
  readonly place: string
}

function find(
  name: ConfigurationName,
  sources: ConfigurationSources,
  file: Readonly<Record<string, unknown>>,
): Found | undefined {
  const flag = sources.flags[name]
  if (flag !== undefined) return { value: flag, place: `--${kebab(name)}` }
  // Compose files pass variables on that nobody set as empty texts.
  const variable = sources.environment[environmentName(name)]
  if (variable !== undefined && variable !== '') return { value: variable, place: environmentName(name) }
  return file[name] === undefined ? undefined : { value: file[name], place: `${name} in claviger.json` }
}

function read(name: ConfigurationName, found: Found): unknown {
  const schema: TSchema = Configuration.properties[name]
  const value = fromText(schema, found.value)
  const [error] = Compile(schema).Errors(value)
  if (error === undefined) return value
  const choices = 'enum' in schema && Array.isArray(schema.enum) ? `: ${schema.enum.join(', ')}` : ''
  throw new CodedError('invalid_request', `\`${found.place}\` ${error.message}${choices}.`)
}

/** Flags and variables are text; what is no text in the schema is read from it. */
function fromText(schema: TSchema, value: unknown): unknown {
  if (typeof value !== 'string' || !('type' in schema)) return value
  if (schema.type === 'integer') return /^[0-9]{1,9}$/.test(value) ? Number(value) : value
  if (schema.type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value
  if (schema.type === 'array') return value.split(',').map((entry) => entry.trim())
  return value
}

function readFile(path: string): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw new CodedError('invalid_request', 'claviger.json is there but cannot be read.')
  }
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    content = undefined
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new CodedError('invalid_request', 'claviger.json is not a JSON object.')
  }
  return { ...content }
}

function refuseUnknown(names: readonly string[], describe: (name: string) => string): void {
  const unknown = names.find((name) => !Object.hasOwn(Configuration.properties, name))
  if (unknown === undefined) return
  const known = CONFIGURATION_NAMES.join(', ')
  throw new CodedError('invalid_request', `${describe(unknown)} Known settings: ${known}.`)
}

function checkTogether(settings: Configuration): void {
  if ((settings.tlsCert === undefined) !== (settings.tlsKey === undefined)) {
    throw new CodedError('invalid_request', '`tls-cert` and `tls-key` are given together or not at all.')
  }
  for (const block of settings.trustProxy) {
    const parsed = parseCidr(block)
    if ('fault' in parsed) throw new CodedError('invalid_request', `\`trust-proxy\`: ${parsed.fault}`)
  }
}

/** An issuer is compared as text (RFC 8414, section 3.3), so it has one spelling only. */
function normalizePublicUrl(text: string): string {
  const url = URL.parse(text)
  if (url === null || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new CodedError(
      'invalid_request',
      '`public-url` must be an address such as https://auth.example.com, without a query, a fragment or a user.',
    )
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
