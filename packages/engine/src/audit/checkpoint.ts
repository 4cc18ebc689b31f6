import { createPublicKey } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { CodedError } from '../coded-error.ts'
import { parseInput } from '../input.ts'
import { formatTime, parseTime, Time } from '../time.ts'
import { isSigned, type SignedPoint } from './signed-point.ts'

const SHA256_HEX = '^[0-9a-f]{64}$'

/** A checkpoint as it leaves the machine: in the log, in exports and in answers. */
export const AuditCheckpoint = Type.Object(
  {
    projectId: Type.String({ maxLength: 255 }),
    sequence: Type.Integer({ minimum: 1, description: 'Of the last entry that it speaks for.' }),
    mac: Type.String({ pattern: SHA256_HEX, description: "That entry's MAC, in hexadecimal." }),
    at: Time,
    signature: Type.String({ pattern: '^[0-9a-f]{128}$', description: 'Ed25519, in hexadecimal.' }),
  },
  { additionalProperties: false },
)
export type AuditCheckpoint = Static<typeof AuditCheckpoint>

export function checkpointOf(point: SignedPoint): AuditCheckpoint {
  return {
    projectId: point.project_id,
    sequence: point.sequence,
    mac: point.mac,
    at: formatTime(point.at_ms),
    signature: point.signature,
  }
}

export function pointOf(checkpoint: AuditCheckpoint, kind: SignedPoint['kind'] = 'checkpoint'): SignedPoint {
  return {
    project_id: checkpoint.projectId,
    kind,
    sequence: checkpoint.sequence,
    mac: checkpoint.mac,
    at_ms: parseTime(checkpoint.at, 'at'),
    signature: checkpoint.signature,
  }
}

/**
 * The checkpoints in a text: lines that are one, or log lines that carry one; other lines are passed over. Throws
 * `invalid_request` when there is none, for then it is not what somebody meant to check against.
 */
export function readCheckpoints(text: string): readonly AuditCheckpoint[] {
  const found = text.split('\n').flatMap((line) => {
    const value = parseLine(line)
    if (value === undefined) return []
    const candidate = value.checkpoint ?? (value.signature === undefined ? undefined : value)
    return candidate === undefined ? [] : [parseInput(AuditCheckpoint, candidate)]
  })
  if (found.length > 0) return found
  throw new CodedError(
    'invalid_request',
    'There is no audit checkpoint in the file. Give the log, or lines of it that say `audit checkpoint`.',
  )
}

/** Whether the holder of this public key, a JWK, has signed it. */
export function isCheckpointSigned(
  publicJwk: Readonly<Record<string, unknown>>,
  checkpoint: AuditCheckpoint,
): boolean {
  return isSigned(createPublicKey({ key: publicJwk, format: 'jwk' }), pointOf(checkpoint))
}

function parseLine(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
