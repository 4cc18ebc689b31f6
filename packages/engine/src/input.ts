import type { Static, TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { CodedError } from './coded-error.ts'

const validators = new WeakMap<TSchema, Validator>()

/**
 * Checks a caller's input against its schema, the same that the API reference shows. Unknown members are
 * refused by name. Throws `invalid_request`, and never repeats a value: it could be a secret. So could a name that is none
 * that a person would give.
 */
export function parseInput<Schema extends TSchema>(schema: Schema, input: unknown): Static<Schema> {
  let validator = validators.get(schema)
  if (validator === undefined) {
    validator = Compile(schema)
    validators.set(schema, validator)
  }
  if (validator.Check(input)) return input as Static<Schema>
  throw new CodedError('invalid_request', describe(validator.Errors(input)))
}

type ValidationError = ReturnType<Validator['Errors']>[number]

function describe(errors: readonly ValidationError[]): string {
  const unknown = errors.find((error) => error.keyword === 'additionalProperties')
  if (unknown !== undefined && unknown.keyword === 'additionalProperties') {
    const names = unknown.params.additionalProperties.map((name) => `\`${shown(name)}\``).join(', ')
    return `${place(unknown.instancePath)} has members that are not known here: ${names}. Remove them or correct their spelling.`
  }
  const error = errors.find((candidate) => candidate.keyword !== 'boolean') ?? errors[0]
  return error === undefined ? 'The input is not valid.' : `${place(error.instancePath)} ${error.message}.`
}

function place(instancePath: string): string {
  return instancePath === '' ? 'The input' : `\`${instancePath.slice(1).split('/').map(shown).join('.')}\``
}

/** No credential is as short; in a place of an array it is a number. */
const SHOWN_NAME = /^[A-Za-z0-9_-]{1,32}$/

function shown(name: string): string {
  return SHOWN_NAME.test(name) ? name : '…'
}
