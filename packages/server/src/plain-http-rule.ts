import { lookup } from 'node:dns/promises'
import { BlockList, isIPv6 } from 'node:net'
import { CodedError } from '@claviger/engine'
import type { Configuration } from './configuration.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Addresses that mean every interface: no client can use one. */
const UNSPECIFIED = new Set(['0.0.0.0', '::', '0:0:0:0:0:0:0:0'])

/**
 * Plain HTTP is served on loopback only: every request carries a credential that whoever is on the way could
 * read. Beyond loopback the operator gives TLS, names the proxy that ends it, or says that plain HTTP is meant.
 */
export async function checkListenAddress(configuration: Configuration): Promise<void> {
  const { host, tlsCert, trustProxy, insecureHttp, publicUrl } = configuration
  const isProtected = tlsCert !== undefined || (await isLoopback(host))
  if (!isProtected && trustProxy.length === 0 && !insecureHttp) {
    throw new CodedError(
      'invalid_request',
      `Plain HTTP on ${host} would show every credential to the network. Give \`--tls-cert\` and \`--tls-key\`, ` +
        'or name the proxy that ends TLS with `--trust-proxy`, or say `--insecure-http` if that is meant.',
    )
  }
  if (publicUrl === undefined && (!isProtected || UNSPECIFIED.has(host))) {
    throw new CodedError(
      'invalid_request',
      `Clients cannot be told http://${host} as the issuer. Say with \`--public-url\` by which address they come here.`,
    )
  }
}

/** Whether an address, or every address that a name stands for, is this machine's own. */
async function isLoopback(host: string): Promise<boolean> {
  const addresses = await lookup(host, { all: true }).catch(() => [])
  return (
    addresses.length > 0 &&
    addresses.every(({ address }) => loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4'))
  )
}
