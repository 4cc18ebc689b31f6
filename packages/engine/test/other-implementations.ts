import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SigningAlgorithm } from '@claviger/verify'

const PYTHON = '/usr/bin/python3'

export const hasPyJwt = spawnSync(PYTHON, ['-c', 'import jwt, cryptography']).status === 0
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0
/** From OpenSSL 3.5 on. */
export const opensslHasMlDsa = /ML-DSA-65/i.test(
  hasOpenssl ? spawnSync('openssl', ['list', '-signature-algorithms'], { encoding: 'utf8' }).stdout : '',
)

const PYJWT_DECODE = `
import base64, json, sys, jwt
given = json.load(sys.stdin)
kid = jwt.get_unverified_header(given['token'])['kid']
if 'secret' in given:
    key = base64.urlsafe_b64decode(given['secret'] + '==')
else:
    [jwk] = [jwk for jwk in given['jwks']['keys'] if jwk['kid'] == kid]
    key = jwt.PyJWK(jwk).key
claims = jwt.decode(given['token'], key, algorithms=[given['algorithm']], audience=given['audience'],
                    issuer=given['issuer'], options={'verify_exp': False, 'verify_iat': False})
print(json.dumps(claims))
`

const PYJWT_ENCODE = `
import base64, json, sys, jwt
from cryptography.hazmat.primitives.serialization import load_der_private_key
given = json.load(sys.stdin)
key = base64.urlsafe_b64decode(given['key'] + '==')
if given['algorithm'] != 'HS256':
    key = load_der_private_key(key, None)
print(jwt.encode(given['claims'], key, algorithm=given['algorithm'], headers=given['header']), end='')
`

/** The claims, as PyJWT reads them with the JWKS or the secret. Throws when it refuses the token. */
export function decodeWithPyJwt(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return JSON.parse(
    execFileSync(PYTHON, ['-c', PYJWT_DECODE], { input: JSON.stringify(given), encoding: 'utf8' }),
  )
}

/** A token signed by PyJWT; `key` is PKCS #8 or a secret, base64url. */
export function encodeWithPyJwt(given: Readonly<Record<string, unknown>>): string {
  return execFileSync(PYTHON, ['-c', PYJWT_ENCODE], { input: JSON.stringify(given), encoding: 'utf8' })
}

/** Signs and verifies by the command `openssl`, through files in a folder. ECDSA signatures are DER here. */
export class OpensslCommand {
  readonly #folder: string
  readonly #algorithm: SigningAlgorithm

  constructor(folder: string, algorithm: SigningAlgorithm) {
    this.#folder = folder
    this.#algorithm = algorithm
  }

  verifies(pem: string, input: Uint8Array, signature: Uint8Array): boolean {
    const key = ['-pubin', '-inkey', this.#file('pem', pem)]
    const files = ['-in', this.#file('data', input), '-sigfile', this.#file('sig', signature)]
    return spawnSync('openssl', ['pkeyutl', '-verify', ...key, ...this.#options(), ...files]).status === 0
  }

  sign(pem: string, input: Uint8Array): Buffer {
    const files = ['-inkey', this.#file('pem', pem), '-in', this.#file('data', input)]
    return execFileSync('openssl', ['pkeyutl', '-sign', ...this.#options(), ...files])
  }

  mac(secret: Uint8Array, input: Uint8Array): Buffer {
    const key = `hexkey:${Buffer.from(secret).toString('hex')}`
    return execFileSync('openssl', ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', key, '-binary'], { input })
  }

  #options(): string[] {
    const bits = /^(RS|PS|ES)(256|384|512)$/.exec(this.#algorithm)?.[2]
    const digest = bits === undefined ? [] : ['-digest', `sha${bits}`]
    const pss = this.#algorithm.startsWith('PS')
      ? ['rsa_padding_mode:pss', 'rsa_pss_saltlen:digest', `rsa_mgf1_md:sha${bits}`]
      : []
    return ['-rawin', ...digest, ...pss.flatMap((option) => ['-pkeyopt', option])]
  }

  #file(name: string, content: string | Uint8Array): string {
    const path = join(this.#folder, `${this.#algorithm}.${name}`)
    writeFileSync(path, content)
    return path
  }
}
