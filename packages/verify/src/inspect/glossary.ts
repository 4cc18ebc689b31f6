import { VERDICT_CODES, type VerdictCode } from '../verdict.ts'

/** A word that stands in a token or in a verdict, explained to somebody who meets it for the first time. */
export interface Term {
  readonly name: string
  /** Where it is met: among the claims, in the header, or as the code of a verdict. */
  readonly place: 'claim' | 'header' | 'verdict'
  /** One sentence. */
  readonly meaning: string
  /** What follows from it, for whoever issues or checks tokens. */
  readonly use: string
  /** Where it is defined. */
  readonly source: string
}

const CLAIMS: readonly Term[] = [
  claim(
    'iss',
    'Who issued the token: the issuer.',
    'A verifier accepts only the issuers that it was told of, compared to the letter, and takes their keys and no others.',
    'RFC 7519, section 4.1.1',
  ),
  claim(
    'sub',
    'Whom the token speaks for: the subject, a user or a customer or a service.',
    'It is unique to its issuer only. Store it together with the issuer, and never take it for an e-mail address.',
    'RFC 7519, section 4.1.2',
  ),
  claim(
    'aud',
    'Which services the token is meant for: the audience, a text or a list.',
    'Each service states its own name and refuses every other token. Else a service that you call could use your token at another.',
    'RFC 7519, section 4.1.3; RFC 9068, section 4',
  ),
  claim(
    'exp',
    'When the token ends, in seconds since 1970.',
    'From that second on it is `expired`. Short lives bound the harm of a stolen token where revocation cannot be asked for.',
    'RFC 7519, section 4.1.4',
  ),
  claim(
    'nbf',
    'Before when the token is not valid yet, in seconds since 1970.',
    'Most tokens have none. One that fails on it right after it was issued shows two clocks that differ.',
    'RFC 7519, section 4.1.5',
  ),
  claim(
    'iat',
    'When the token was issued, in seconds since 1970.',
    'It says how old the token is. It counts when everything issued before some time is revoked.',
    'RFC 7519, section 4.1.6',
  ),
  claim(
    'jti',
    'The name of this one token.',
    'It is what to revoke a single token by, and what to write into a log instead of the token.',
    'RFC 7519, section 4.1.7',
  ),
  claim(
    'client_id',
    'Which client the token was issued to: in Claviger, often the id of the key that asked for it.',
    'When that key is revoked or disabled, the tokens that name it are as well.',
    'RFC 8693, section 4.3; RFC 9068, section 2.2',
  ),
  claim(
    'scope',
    'What the token was narrowed to, separated by blanks.',
    'It takes away and never adds: absent, nothing is narrowed; empty, nothing is permitted.',
    'RFC 8693, section 4.2; RFC 9068, section 2.2.3',
  ),
  claim(
    'roles',
    'Names of sets of permissions.',
    'What a role permits is looked up when the token is verified, so that a change of the role counts at once.',
    'RFC 9068, section 2.2.3.1',
  ),
  claim(
    'permissions',
    'What the token permits by itself, as resource:action.',
    '`documents:read` is one permission; `*` stands for every resource or every action.',
    'Claviger; docs/decisions/0005',
  ),
  claim(
    'sid',
    'The session that the token belongs to.',
    'When the session ends, by logging out or by a stolen refresh token, all its tokens do.',
    'OpenID Connect Front-Channel Logout 1.0, section 3',
  ),
  claim(
    'pos',
    'How far the project had come when the token was issued: a place in its list of changes.',
    'It tells what was issued before a revocation from what was issued after it, within the same second as well.',
    'Claviger; docs/decisions/0004',
  ),
  claim(
    'cnf',
    'Which key the sender has to prove that it holds: the confirmation.',
    'A token with it is worth nothing to a thief who has not the key. It comes with DPoP (`jkt`) and mutual TLS (`x5t#S256`).',
    'RFC 7800, section 3.1; RFC 9449, section 6.1; RFC 8705, section 3.1',
  ),
  claim(
    'status',
    'Where to read whether the token was revoked: a list, and a place in it.',
    'It is for services that do not use Claviger’s verifier; they fetch the list now and then, and learn of it later.',
    'IETF Token Status List',
  ),
]

const HEADER: readonly Term[] = [
  header(
    'alg',
    'Which algorithm signed the token.',
    'It is a claim and not a choice: the verifier takes the algorithm of the key, and refuses a token that says another.',
    'RFC 7515, section 4.1.1; RFC 8725, section 3.1',
  ),
  header(
    'typ',
    'What kind of token it is; an access token says `at+jwt`.',
    'It keeps tokens of one purpose from being used for another, such as an ID token at an API.',
    'RFC 7515, section 4.1.9; RFC 9068, section 2.1',
  ),
  header(
    'kid',
    'Which of the issuer’s keys signed the token.',
    'It is a name to look up in the issuer’s JWKS, and nothing else.',
    'RFC 7515, section 4.1.4',
  ),
]

const VERDICTS: Readonly<Record<VerdictCode, readonly [meaning: string, use: string]>> = {
  malformed: [
    'The text is no key and no token, or was damaged on the way.',
    'Copy it again, whole. `claviger inspect` says which part is wrong.',
  ],
  unknown: [
    'The key was never made here, or the token’s issuer or signing key is not accepted.',
    'Is it of another project or another installation? Has the signing key been retired since?',
  ],
  bad_signature: [
    'The token was altered, or signed by somebody else.',
    'Do not trust anything in it. Ask its issuer for a new one.',
  ],
  wrong_audience: [
    'The token is meant for another service (`aud`), or the verifier did not say which service it is.',
    'Ask for a token for this service, or verify with the audience that it is.',
  ],
  revoked: ['Somebody ended the credential before its time.', 'It never works again. Ask for a new one.'],
  rotated_out: [
    'The key was rotated, and the time is over in which its former text still worked.',
    'Use the text that the rotation gave.',
  ],
  disabled: [
    'The key, the subject that it speaks for or the client that it was issued to is suspended.',
    'Nothing is lost: it works again when it is enabled.',
  ],
  expired: ['Its time is over.', 'Ask for a new one; a session gets one for its refresh token.'],
  not_yet_valid: ['Its time has not begun.', 'Wait, or compare the clocks of issuer and verifier.'],
  proof_required: [
    'The token is bound to its sender (`cnf`), and no proof came with it.',
    'Send the proof, or ask for a token that is not bound.',
  ],
  bad_proof: [
    'A proof came with the token, and it is not of the key that the token names, or not for this request.',
    'Make a new proof for each request, with the key that the token was bound to.',
  ],
  ip_denied: [
    'The key is bound to addresses, and the caller’s is not among them, or was not passed on.',
    'Behind a proxy, the address of the end client has to be handed over.',
  ],
  insufficient_permissions: [
    'The credential is good, but does not permit this call.',
    'A new credential of the same rights does not help: it needs other roles, permissions or scopes.',
  ],
  rate_limited: ['Too many calls in too short a time.', 'Wait as long as the answer says, and try again.'],
  quota_exceeded: [
    'What the credential may use up is used up.',
    'It works again when the quota is refilled or raised.',
  ],
  unavailable: [
    'The verifier could not find out whether the credential may pass, and so did not let it.',
    'Nothing is said about the credential. Try again; if it lasts, look after the server.',
  ],
}

const STATUS_SOURCES = {
  401: 'HTTP 401; RFC 6750, section 3.1 (invalid_token)',
  403: 'HTTP 403; RFC 6750, section 3.1 (insufficient_scope)',
  429: 'HTTP 429; RFC 6585, section 4',
  503: 'HTTP 503; RFC 9110, section 15.6.4',
} as const

/** Claims, then header members, then verdicts in the order of precedence. */
export const GLOSSARY: readonly Term[] = Object.freeze([...CLAIMS, ...HEADER, ...verdicts()])

/** The term of that name; undefined when none is explained. */
export function findTerm(name: string): Term | undefined {
  return GLOSSARY.find((term) => term.name === name)
}

function claim(name: string, meaning: string, use: string, source: string): Term {
  return { name, place: 'claim', meaning, use, source }
}

function header(name: string, meaning: string, use: string, source: string): Term {
  return { name, place: 'header', meaning, use, source }
}

function verdicts(): Term[] {
  const codes = Object.keys(VERDICTS) as VerdictCode[]
  return codes.map((name) => {
    const [meaning, use] = VERDICTS[name]
    return { name, place: 'verdict', meaning, use, source: STATUS_SOURCES[VERDICT_CODES[name]] }
  })
}
