import type { Generated } from 'kysely'
import type { HashEncoding } from '../key-shapes/key-hash.ts'

/**
 * The tables, as Kysely sees them. One description for both databases: times are epoch milliseconds,
 * lists and records are JSON text, positions are written `epoch:number`, booleans are 0 or 1, binary is bytes.
 */
export interface Schema {
  migrations: MigrationTable
  installation: InstallationTable
  projects: ProjectTable
  epochs: EpochTable
  changes: ChangeTable
  commands: CommandTable
  roles: RoleTable
  subjects: SubjectTable
  audiences: AudienceTable
  keys: KeyTable
  key_secrets: KeySecretTable
  key_fills: KeyFillTable
  issuing_keys: IssuingKeyTable
  key_shapes: KeyShapeTable
  signing_keys: SigningKeyTable
  signing_schedules: SigningScheduleTable
  public_urls: PublicUrlTable
  revocations: RevocationTable
  sessions: SessionTable
  refresh_tokens: RefreshTokenTable
  audit: AuditTable
  audit_points: AuditPointTable
  key_usage: KeyUsageTable
  idempotency_keys: IdempotencyKeyTable
  project_caps: ProjectCapTable
  tallies: TallyTable
  usage: UsageTable
  limit_counters: LimitCounterTable
  grants: GrantTable
  usage_batches: UsageBatchTable
}

/** The migrations that made these tables; the highest number is the database's version. */
export interface MigrationTable {
  number: number
  name: string
  applied_at_ms: number
}

/** One row: what this database is. */
export interface InstallationTable {
  /** Always 1. */
  id: number
  created_at_ms: number
  /** HMAC of a fixed text under the master key: tells whether a start brings the right one. */
  master_key_fingerprint: string
  /** The latest time at which a command ran: a start with a clock far behind it is refused (rule B2). */
  last_commit_at_ms: number
  /** Names the installation, for ever. Empty until a start has named it. */
  installation_id: string
  /** Names the line of commits since the last restore, or since the installation: a restore begins another. */
  history: string
  /** The history that the journal ended with when this one began; empty: there was none. */
  continues: string
  /** How many commits there have been. */
  commit_number: number
  /** Which of them stands last in the journal; 0: none. */
  journaled: number
  /** JSON of `Suspension`: what was taken away since a restored backup is not known. Null: nothing is suspended. */
  suspended: string | null
}

/** A tenant; `number` of `epoch` is its head (rule C3). */
export interface ProjectTable {
  id: string
  name: string
  /** Prefix of its customers' keys. */
  key_prefix: string
  /** What its tokens are signed with unless the caller asks for another algorithm. */
  algorithm: string
  epoch: string
  head: number
  created_at_ms: number
}

/** Every epoch that a project has had (rule E1). */
export interface EpochTable {
  project_id: string
  epoch: string
  began_at_ms: number
}

/** A project's ordered feed. */
export interface ChangeTable {
  project_id: string
  epoch: string
  number: number
  command_id: string
  at_ms: number
  /** JSON of `Fact[]`. */
  facts: string
}

/** What a command answered, so that a retry after an unknown outcome never runs it twice (rule C5). */
export interface CommandTable {
  id: string
  at_ms: number
  /** JSON in clear, empty for nothing: a command never answers with a secret. */
  result: string
}

export interface RoleTable {
  project_id: string
  name: string
  /** JSON of a list of permissions; `[]` once deleted. */
  permissions: string
  created_at_ms: number
  changed_at_ms: number
  /** Set: the role is gone, and its name is never used again (rule R5). */
  deleted_at_ms: number | null
}

export interface SubjectTable {
  project_id: string
  /** Empty text: the project's own issuers. */
  issuer: string
  subject: string
  /** JSON lists; null: does not bound. */
  roles: string | null
  permissions: string | null
  disabled: number
  /** JSON record. */
  metadata: string
  /** JSON of `Limits`; null: none. */
  limits: string | null
  created_at_ms: number
  changed_at_ms: number
}

/** One row a run of a server: until when the leases last that it granted (rule L3). */
export interface GrantTable {
  boot_id: string
  until_ms: number
  /** The longest lease that the run has granted. */
  longest_ms: number
}

/** A batch of usage that a verifier in another process has sent, and that was counted. */
export interface UsageBatchTable {
  project_id: string
  batch_id: string
  stored_at_ms: number
}

/** The keys that tokens were derived from while they had limits, which verifiers are told (rule V5). */
export interface IssuingKeyTable {
  key_id: string
}

/** What tokens for an audience get unless the call that mints them says otherwise. */
export interface AudienceTable {
  project_id: string
  audience: string
  ttl_seconds: number | null
  /** Null: the project's own. */
  algorithm: string | null
  /** JSON record of custom claims. */
  claims: string
  created_at_ms: number
  changed_at_ms: number
}

/** An API key; its secrets stand in `key_secrets`. Management keys are the keys of the project `claviger`. */
export interface KeyTable {
  /** Its place in the table, by which its secrets name it (decision 0029). Nobody outside the storage sees it. */
  number: Generated<number>
  id: string
  project_id: string
  name: string
  prefix: string
  subject: string
  roles: string
  permissions: string
  scopes: string | null
  metadata: string
  /** JSON of `Limits`; null: none. */
  limits: string | null
  ip_allow: string | null
  disabled: number
  created_at_ms: number
  changed_at_ms: number
  expires_at_ms: number | null
  not_before_ms: number | null
  /** The position of its creation (rule V4). */
  pos: string
  revoked_at_ms: number | null
  revoke_reason: string | null
  /** Set: a tombstone; the key answers `revoked` for ever (rule V4). */
  deleted_at_ms: number | null
  /** Management keys only: the bound project's id, or null with `verbs` set: root. */
  managed_project_id: string | null
  /** Management keys only: JSON lists. */
  verbs: string | null
  grants: string | null
  /** The management key that created it; null: the embedding program, or a version that did not note it. */
  created_by: string | null
}

export interface KeySecretTable {
  /** SHA-256 of the key's text, base64url; with the project it is the primary key. */
  digest: string
  project_id: string
  key_number: number
  key_id: string
  /** The public part of the text that names this secret; of an imported one the beginning of its digest. */
  locator: string
  created_at_ms: number
  /** Set once superseded: the end of its overlap. Null: the current secret. */
  valid_until_ms: number | null
  revoked_at_ms: number | null
  /** The name of its shape, if it was issued elsewhere. */
  shape: string | null
  /** What it was imported as: a digest of all that was said of it, which tells a line sent again from another one. */
  imported_as: string | null
}

/**
 * What a fill reads of a secret and of its key (decision 0034). Triggers write it, and nothing else does: what it says is
 * what `keys` and `key_secrets` say.
 */
export interface KeyFillTable
  extends Pick<
    KeyTable,
    | 'subject'
    | 'roles'
    | 'permissions'
    | 'scopes'
    | 'metadata'
    | 'limits'
    | 'created_at_ms'
    | 'pos'
    | 'expires_at_ms'
    | 'not_before_ms'
    | 'ip_allow'
    | 'disabled'
    | 'revoked_at_ms'
    | 'deleted_at_ms'
    | 'managed_project_id'
    | 'verbs'
    | 'grants'
  > {
  /** One of those that its digest and its project give (changes/fill-places.ts). */
  place: number
  digest: string
  project_id: string
  key_number: number
  key_id: string
  secret_valid_until_ms: number | null
  secret_revoked_at_ms: number | null
}

/** The shape of keys that were issued elsewhere (decision 0017). It never changes. */
export interface KeyShapeTable {
  project_id: string
  name: string
  prefix: string
  /** Each character once. */
  alphabet: string
  min_length: number
  length: number
  /** How the hashes are written that are imported under it. */
  hash_encoding: HashEncoding
  created_at_ms: number
}

export interface SigningKeyTable {
  /** The JWS `kid`; with the project it is the primary key. */
  id: string
  project_id: string
  algorithm: string
  status: 'next' | 'active' | 'retiring' | 'retired'
  /** JSON. */
  public_jwk: string
  /** PKCS #8, sealed under the master key; its row's identity is the associated data. Empty once it is retired. */
  private_sealed: Uint8Array
  /** When it was published: in the JWKS and in the feed. */
  created_at_ms: number
  /** Of a next key: when a person wants it to sign. Null: when the schedule says so. */
  activate_at_ms: number | null
  activated_at_ms: number | null
  /** When it ceased to sign. */
  superseded_at_ms: number | null
  /** Of an imported key: when the last token that it signed elsewhere expires. */
  tokens_until_ms: number | null
  retired_at_ms: number | null
}

/** How often a project's signing keys are rotated; a project without a row has the default. */
export interface SigningScheduleTable {
  project_id: string
  /** Null: by hand alone. */
  period_seconds: number | null
}

/** The addresses that this installation's issuers are derived from; the current one has no end. */
export interface PublicUrlTable {
  url: string
  since_ms: number
  until_ms: number | null
}

export interface RevocationTable {
  id: string
  project_id: string
  kind: string
  target: string
  /** Empty text: the project's own issuers. */
  issuer: string
  only: string | null
  ban: number
  epoch: string
  number: number
  issued_before_ms: number | null
  tokens_until_ms: number | null
  reason: string | null
  created_at_ms: number
  lifted_at_ms: number | null
}

/** A subject's chain of refresh tokens (rules S1, R6); the digests of these stand in `refresh_tokens`. */
export interface SessionTable {
  /** The `sid` of its access tokens. */
  id: string
  project_id: string
  subject: string
  /** The management key that created it, or `embedded`: the `client_id` of its access tokens (rule V5). */
  client_id: string
  /** JSON list. */
  audience: string
  /** JSON lists; both null: it has none of its own and takes those of the subject's record, live (rule R6). */
  roles: string | null
  permissions: string | null
  /** JSON list; null: not narrowed. */
  scopes: string | null
  /** JSON record of the claims that its access tokens carry besides. */
  claims: string
  /** Null: the project's own, as it is at each refresh. */
  algorithm: string | null
  access_ttl_seconds: number
  idle_seconds: number
  /** What it was last used with, as the caller says. */
  device: string | null
  ip: string | null
  /** The project's head before anything was read that let it be created: the `pos` of all its tokens (rule V2). */
  pos: string
  /** Counts its refresh tokens: the number of the current one. */
  generation: number
  created_at_ms: number
  refreshed_at_ms: number
  /** The end of its current refresh token, by idleness or by the session's own end. */
  refresh_until_ms: number
  expires_at_ms: number
  /** The end of the access token that lives longest (rule V7). */
  tokens_until_ms: number
  ended_at_ms: number | null
  end_reason: string | null
}

/**
 * The refresh tokens of a session by which all that it has had are known: an old one that comes back tells of a theft (rule
 * S1). Of those of long ago every 32nd is enough (sessions/refresh-chain.ts).
 */
export interface RefreshTokenTable {
  /** SHA-256 of its text, base64url. */
  digest: string
  session_id: string
  /** 1 for the first. */
  generation: number
  /** Null: the current one. */
  replaced_at_ms: number | null
}

/**
 * What was done or refused, by whom; written by each command, in its transaction. The entries of a project are a chain
 * (decision 0018).
 */
export interface AuditTable {
  project_id: string
  /** 1 for the project's first, without gaps. */
  sequence: number
  at_ms: number
  command_id: string
  /**
   * A management key's id, `embedder` for the embedding program, `installation` for the node itself, or `anonymous`.
   */
  actor: string
  action: string
  target: string
  outcome: 'done' | 'refused'
  /** Where the request came from. */
  address: string | null
  request_id: string | null
  /** JSON record; never a secret. */
  detail: string
  /** HMAC over the other columns and the MAC of the entry before, in hexadecimal. */
  mac: string
}

/** Signed places in the chains: checkpoints, and what was pruned. */
export interface AuditPointTable {
  project_id: string
  kind: 'checkpoint' | 'prune'
  /** Of the last entry that it speaks for. */
  sequence: number
  /** That entry's. */
  mac: string
  at_ms: number
  /** Ed25519, in hexadecimal. */
  signature: string
}

/** Statistics, written in batches; not a change (rule C6). */
export interface KeyUsageTable {
  key_id: string
  last_used_at_ms: number
  /** The client's address, if the caller told it. Null: it did not, or a version that did not note it. */
  last_used_from: string | null
  verifications: number
}

/** A request that carried an idempotency key, beside the command that it ran (rule C7). Kept for 24 hours, as that is. */
export interface IdempotencyKeyTable {
  /** The management key that sent it. */
  caller_id: string
  /** HMACs under a key of the installation's: of the idempotency key, and of route, project and body. */
  key_mac: string
  request_mac: string
  command_id: string
  at_ms: number
  /** The secrets of the answer, under a key derived from the caller's credential; null: it held none. */
  sealed: Uint8Array | null
}

/** What a project may hold at most, where that is not the default (caps/caps.ts). */
export interface ProjectCapTable {
  project_id: string
  cap: string
  most: number
}

/** How many rows an owner has: kept by triggers, for tables that are too long to be counted at each creation. */
export interface TallyTable {
  /** A project, or the management key that created the rows. */
  owner: string
  kind: 'keys' | 'subjects'
  held: number
}

/** Verifications of a span of time that have everything in common; not a change (rule C6). Empty text: none. */
export interface UsageTable {
  project_id: string
  resolution: 'minute' | 'hour' | 'day'
  start_ms: number
  /** `key`, `token`, or empty: neither was recognised. Or what was issued: `mint`, `session`, `refresh`. */
  kind: string
  /** The key; of a token its client. */
  key_id: string
  subject: string
  outcome: string
  /** JSON list, sorted. */
  tags: string
  ip: string
  /** Or how often it was issued. */
  verifications: number
}

/** What was reserved of a limit that is counted in the database; not a change (rule C6). */
export interface LimitCounterTable {
  project_id: string
  holder_kind: 'key' | 'subject'
  holder: string
  name: string
  /** `3600s`, `daily` …: what was counted by another period is another row. */
  period: string
  start_ms: number
  /** Null: the period never ends. */
  ends_at_ms: number | null
  reserved: number
}
