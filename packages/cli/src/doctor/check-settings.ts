import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { Configuration } from '@claviger/server'
import { type Check, fault, ok, warning } from './check.ts'

const DAY_MS = 86_400_000
const SOON_DAYS = 14

/** What the settings of the server give away: who can listen, and whom it believes. */
export function checkSettings(settings: Configuration, nowMs: number): readonly Check[] {
  const { tlsCert, tlsKey, trustProxy, insecureHttp, host } = settings
  const checks: Check[] = []
  if (tlsCert !== undefined && tlsKey !== undefined)
    checks.push(...checkCertificate({ tlsCert, tlsKey, nowMs }))
  else if (insecureHttp) {
    checks.push(
      warning(
        'plain-http',
        `Plain HTTP on ${host} shows every credential to whoever is on the way. Give TLS.`,
      ),
    )
  } else
    checks.push(ok('plain-http', 'Plain HTTP is served on loopback, or behind the proxy that was named.'))
  const everyone = trustProxy.filter((block) => /\/0+$/.test(block))
  if (everyone.length > 0) {
    checks.push(
      fault(
        'trust-proxy',
        `${everyone.join(', ')} believes every caller's X-Forwarded-For, so IP lists hold nobody off. Name the proxy's own address.`,
      ),
    )
  }
  return checks
}

function checkCertificate(pair: {
  readonly tlsCert: string
  readonly tlsKey: string
  readonly nowMs: number
}): readonly Check[] {
  const { tlsCert, tlsKey, nowMs } = pair
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(readFileSync(tlsCert))
    if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(tlsKey)))) {
      return [fault('certificate', `${tlsKey} is not the private key of ${tlsCert}.`)]
    }
  } catch {
    return [fault('certificate', `${tlsCert} and ${tlsKey} cannot be read as a certificate and its key.`)]
  }
  const days = Math.floor((certificate.validToDate.getTime() - nowMs) / DAY_MS)
  const checks = [judgeExpiry(tlsCert, days)]
  const mode = statSync(tlsKey).mode & 0o777
  if (process.platform !== 'win32' && (mode & 0o007) !== 0) {
    checks.push(fault('tls-key', `${tlsKey} can be read by everybody. Run: chmod 640 ${tlsKey}`))
  }
  return checks
}

function judgeExpiry(file: string, days: number): Check {
  if (days < 0) return fault('certificate', `${file} has expired. Renew it.`)
  if (days < SOON_DAYS) return warning('certificate', `${file} expires in ${days} days. Renew it.`)
  return ok('certificate', `${file} is valid for ${days} days.`)
}
