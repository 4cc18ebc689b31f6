import type { KeyFill } from '@claviger/verify'
import Type from 'typebox'
import { fillKey } from '../changes/fill-key.ts'
import { parseInput } from '../input.ts'
import { authorizeRead } from '../management/authorize.ts'
import type { Scope } from '../scope.ts'

const MAX_DIGESTS = 100

export const ResolveInput = Type.Object(
  {
    digests: Type.Array(
      Type.String({ pattern: '^[A-Za-z0-9_-]{43}$', description: 'SHA-256 of a key’s text, base64url.' }),
      { minItems: 1, maxItems: MAX_DIGESTS },
    ),
  },
  { additionalProperties: false },
)

export const ResolvedKeys = Type.Object({
  fills: Type.Array(
    Type.Object({
      position: Type.Object(
        { epoch: Type.String(), number: Type.Integer() },
        { description: 'What the answer holds as of.' },
      ),
      key: Type.Unknown({ description: 'The key, as a verifier keeps it; null: there is none.' }),
    }),
    { description: 'In the order of the digests.' },
  ),
})

/**
 * Looks keys up by the digests of their texts, for a verifier in another process. Each answer holds as of its position
 * (rule F2); one for a digest that nobody knows takes the same way as any other.
 */
export async function resolveKeys(
  scope: Scope,
  input: unknown,
): Promise<{ readonly fills: readonly KeyFill[] }> {
  await authorizeRead(scope, 'credentials:resolve')
  const { digests } = parseInput(ResolveInput, input)
  const { reader, projectId } = scope
  const fills: KeyFill[] = []
  for (const digest of digests) fills.push(await fillKey(reader, { projectId, digest }))
  return { fills }
}
