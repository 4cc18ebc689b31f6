import { type JsonSchema, resolveSchema, type Schemas } from './json-schema.ts'

/** One line of a table of members. */
export interface Member {
  /** With the names that lead to it: `limits[].name`. */
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly description: string
  /** Bounds and the default, each a short phrase. */
  readonly limits: readonly string[]
}

/** Deeper members are shown by the example alone. */
const MAX_DEPTH = 3

/** The members of an object and of the objects in it, in the order of the schema. */
export function membersOf(schema: JsonSchema, schemas: Schemas): readonly Member[] {
  return walk(resolveSchema(schema, schemas), schemas, { prefix: '', depth: 0 })
}

function walk(
  schema: JsonSchema,
  schemas: Schemas,
  at: { readonly prefix: string; readonly depth: number },
): readonly Member[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const member = memberOf(`${at.prefix}${name}`, property, {
      schemas,
      required: schema.required?.includes(name) === true,
    })
    const inner = objectIn(property, schemas)
    if (inner === undefined || at.depth + 1 >= MAX_DEPTH) return [member]
    const prefix = `${at.prefix}${name}${inner.inList ? '[]' : ''}.`
    return [member, ...walk(inner.schema, schemas, { prefix, depth: at.depth + 1 })]
  })
}

/** A parameter or a member by itself. */
export function memberOf(
  name: string,
  schema: JsonSchema,
  { schemas, required }: { readonly schemas: Schemas; readonly required: boolean },
): Member {
  const resolved = resolveSchema(schema, schemas)
  return {
    name,
    type: typeOf(resolved, schemas),
    required,
    description: schema.description ?? resolved.description ?? '',
    limits: limitsOf(resolved),
  }
}

/** The object that a member holds, or holds a list of, whatever else it may be besides. */
function objectIn(
  schema: JsonSchema,
  schemas: Schemas,
): { readonly schema: JsonSchema; readonly inList: boolean } | undefined {
  for (const option of optionsOf(resolveSchema(schema, schemas), schemas)) {
    if (option.properties !== undefined) return { schema: option, inList: false }
    const items = option.items === undefined ? undefined : resolveSchema(option.items, schemas)
    if (items?.properties !== undefined) return { schema: items, inList: true }
  }
  return undefined
}

function optionsOf(schema: JsonSchema, schemas: Schemas): readonly JsonSchema[] {
  return schema.anyOf?.map((option) => resolveSchema(option, schemas)) ?? [schema]
}

function typeOf(schema: JsonSchema, schemas: Schemas): string {
  if (schema.anyOf !== undefined) {
    return schema.anyOf.map((option) => typeOf(resolveSchema(option, schemas), schemas)).join(' or ')
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(', ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.items !== undefined) return `list of ${typeOf(resolveSchema(schema.items, schemas), schemas)}`
  if (schema.format === 'date-time') return 'time'
  return TYPE_NAMES[schema.type ?? ''] ?? 'anything'
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'integer',
  number: 'number',
  boolean: 'true or false',
  object: 'object',
  null: 'null',
}

function limitsOf(schema: JsonSchema): readonly string[] {
  const { minimum, maximum, maxLength, maxItems, minItems } = schema
  return [
    ...(schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`]),
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
    ...(maxLength === undefined || schema.format !== undefined ? [] : [`at most ${maxLength} characters`]),
    ...(minItems === undefined ? [] : [`${minItems} or more`]),
    ...(maxItems === undefined ? [] : [`at most ${maxItems} of them`]),
  ]
}
