import { REFUSED_MEMBERS, readHeader } from '../tokens/token-header.ts'
import type { Checklist } from './checklist.ts'

/** Members with which nothing is wrong: each member is checked among these, so that no other one hides it. */
const GOOD = { alg: 'RS256', kid: 'key', typ: 'at+jwt' } as const

const SIGN_ANEW = 'It cannot be repaired: the signature covers the header. Ask the issuer for'

const REMEDIES = {
  alg: `${SIGN_ANEW} a signed token: what nobody signed, anybody may have written.`,
  kid: `${SIGN_ANEW} a token that names its signing key (\`kid\`).`,
  typ: `${SIGN_ANEW} an access token as RFC 9068 has it, \`typ\` \`at+jwt\`.`,
} as const

const EXTENSIONS_REMEDY = `${SIGN_ANEW} a token without it. Keys that a token brings along, or an extension that must be understood, are never taken on its word (RFC 8725).`

/** Checks the members of a token's header, each by itself. */
export function inspectHeader(members: Readonly<Record<string, unknown>>, list: Checklist): void {
  const refused = REFUSED_MEMBERS.filter((name) => Object.hasOwn(members, name))
  if (refused.length === 0) list.holds('extensions', 'It asks for nothing that a verifier must not do.')
  else list.fails('extensions', `The header has ${refused.join(', ')}.`, EXTENSIONS_REMEDY)
  for (const name of ['alg', 'kid', 'typ'] as const) {
    const header = readHeader({ ...GOOD, [name]: members[name] })
    if (!('fault' in header)) list.holds(name, describe(name, header[name]))
    else list.fails(name, header.fault, name === 'typ' ? typRemedy(members) : REMEDIES[name])
  }
}

function describe(name: keyof typeof GOOD, value: string): string {
  if (name === 'alg') return `It says that it is signed with ${value}.`
  return name === 'kid' ? `It names the signing key ${value}.` : 'It says that it is an access token.'
}

/** The usual mistake: the token of a login is sent to an API. */
function typRemedy(members: Readonly<Record<string, unknown>>): string {
  const { typ } = members
  const isPlain = typ === undefined || (typeof typ === 'string' && /^(application\/)?jwt$/i.test(typ))
  return isPlain
    ? `If it came from a login, it may be the ID token, which is for the application: send the access token. ${REMEDIES.typ}`
    : REMEDIES.typ
}
