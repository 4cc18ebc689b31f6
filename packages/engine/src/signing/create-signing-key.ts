import { ALGORITHMS, type AlgorithmTraits, type SigningAlgorithm } from '@claviger/verify'
import Type, { type Static } from 'typebox'
import { requireRoom } from '../caps/require-room.ts'
import { CodedError } from '../coded-error.ts'
import type { Command, CommandContext } from '../commands/command.ts'
import { parseInput } from '../input.ts'
import { authorize, authorizeRead, requireGrants } from '../management/authorize.ts'
import { requireCustomerProject } from '../projects/customer-project.ts'
import { extendRules } from '../revocation/extend-rules.ts'
import type { Scope } from '../scope.ts'
import { parseTime, Time } from '../time.ts'
import { adoptPrivateKey, KID_PATTERN } from './adopt-private-key.ts'
import { activateSigningKey } from './change-status.ts'
import { insertSigningKey, makeSigningKey, type NewSigningKey } from './make-signing-key.ts'
import { loadSigningKey, showSigningKey } from './read-signing-key.ts'
import { loadRing } from './ring.ts'
import type { SigningKeyView } from './signing-key-view.ts'
import { WHAT_TOKENS_HOLD } from './what-tokens-hold.ts'

const MAX_KEY_LENGTH = 32_768

export const CreateSigningKeyInput = Type.Object(
  {
    algorithm: Type.Enum(Object.keys(ALGORITHMS) as SigningAlgorithm[]),
    key: Type.Optional(
      Type.Union(
        [
          Type.String({ minLength: 1, maxLength: MAX_KEY_LENGTH }),
          Type.Record(Type.String(), Type.Unknown()),
        ],
        {
          description:
            'A private key to import: PEM (PKCS #8, PKCS #1 or SEC 1, encrypted or not), or a JWK. Absent: a key pair is made.',
        },
      ),
    ),
    passphrase: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1024, description: 'Of an encrypted PEM.' }),
    ),
    kid: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        pattern: KID_PATTERN,
        description:
          'Of an imported key: what the tokens that are out name it. Its thumbprint (RFC 7638) if neither this nor the JWK says.',
      }),
    ),
    status: Type.Optional(
      Type.Enum(['next', 'active', 'retiring'], {
        description:
          'Of an imported key: `next` (the default) is published and signs after the next rotation, `active` signs at once, `retiring` never signs, and verifies the tokens that are out.',
      }),
    ),
    tokensUntil: Type.Optional(
      Type.String({
        ...Time,
        description:
          'Of an imported key: when the last token that it signed elsewhere expires. It is kept until then at least.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type CreateSigningKeyInput = Static<typeof CreateSigningKeyInput>

interface CreateArgs {
  readonly key: NewSigningKey
  readonly status: 'next' | 'active' | 'retiring'
  readonly tokensUntilMs: number | null
}

/**
 * Makes and publishes the next key of a ring, or brings in one that was made elsewhere. A next key signs after the next
 * rotation; in an emergency it takes over at once, and those who use the JWKS know it already.
 *
 * Throws `already_exists` for a key that the project has or had, and for a second next key of a ring.
 */
export async function createSigningKey(scope: Scope, input: unknown): Promise<SigningKeyView> {
  requireCustomerProject(scope)
  requireGrants(await authorizeRead(scope, 'signing-keys:write'), WHAT_TOKENS_HOLD, 'a token')
  const fields = parseInput(CreateSigningKeyInput, input)
  const { key: given, algorithm, passphrase, kid, status, tokensUntil } = fields
  if (given === undefined) requireNoImportOptions(fields)
  const { projectId } = scope
  const text = typeof given === 'object' ? JSON.stringify(given) : given
  const args: CreateArgs = {
    key:
      text === undefined
        ? await makeSigningKey(scope, projectId, algorithm)
        : await adoptPrivateKey(scope, { projectId, algorithm, text, passphrase, kid }),
    status: status ?? 'next',
    tokensUntilMs: tokensUntil === undefined ? null : parseTime(tokensUntil, 'tokensUntil'),
  }
  return scope.writer.run('create-signing-key', args, scope.actor)
}

export const createSigningKeyCommand: Command<CreateArgs, SigningKeyView> = async (
  context,
  { key, status, tokensUntilMs },
) => {
  const { db } = context
  const { id, projectId } = key
  requireGrants(await authorize(context, projectId, 'signing-keys:write'), WHAT_TOKENS_HOLD, 'a token')
  await context.position(projectId)
  await requireNewKey(context, key)
  const ring = await loadRing(db, key)
  if (status === 'next' && ring.next !== undefined) {
    throw new CodedError(
      'already_exists',
      'There is a next key for this algorithm already. Rotate to it first, or revoke it.',
    )
  }
  await requireRoom(context, 'signingKeys', { projectId })
  await insertSigningKey(context, key, { status: status === 'active' ? 'next' : status, tokensUntilMs })
  if (tokensUntilMs !== null) await extendRules(context, projectId, tokensUntilMs)
  if (status === 'active') {
    await activateSigningKey(context, ring, await loadSigningKey(db, { projectId, id }))
  }
  return showSigningKey(db, { projectId, id })
}

/** An option that would have no effect is refused: its caller believes that it has one. */
function requireNoImportOptions({ passphrase, kid, status, tokensUntil }: CreateSigningKeyInput): void {
  const given = Object.entries({ passphrase, kid, status, tokensUntil }).find(
    ([, value]) => value !== undefined,
  )
  if (given === undefined) return
  throw new CodedError('invalid_request', `\`${given[0]}\` is for a key that is imported: give \`key\` too.`)
}

/** A key that was here is not brought back: it may have been retired because it was stolen. */
async function requireNewKey({ db }: CommandContext, key: NewSigningKey): Promise<void> {
  const { symmetric }: AlgorithmTraits = ALGORITHMS[key.algorithm]
  const publicJwk = JSON.stringify(key.publicJwk)
  const known = await db
    .selectFrom('signing_keys')
    .select(['id', 'status', 'public_jwk'])
    .where('project_id', '=', key.projectId)
    // Secrets have no public part to be told apart by; each is named by itself.
    .where(({ eb, or }) =>
      or([eb('id', '=', key.id), ...(symmetric ? [] : [eb('public_jwk', '=', publicJwk)])]),
    )
    .executeTakeFirst()
  if (known === undefined) return
  throw new CodedError(
    'already_exists',
    known.public_jwk === publicJwk
      ? `The project has this very key already, under the kid ${known.id}; it is ${known.status}.`
      : 'The project has another key with this kid. Tokens could not tell them apart: choose another one.',
  )
}
