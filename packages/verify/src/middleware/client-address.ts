import { compileIpAllow, type IpAllow, parseIp } from '../access/ip-allow.ts'
import { parseCidr } from '../access/parse-cidr.ts'
import { headerValues } from './presented-credential.ts'

/** The proxies that stand before the service. */
export interface TrustedProxies {
  /** CIDR blocks of their addresses, as in `10.0.0.0/8`. */
  readonly addresses: readonly string[]
  /**
   * The one header in which they name whom they speak for (default `x-forwarded-for`). A client can write the other one,
   * so it is never read.
   */
  readonly header?: 'x-forwarded-for' | 'forwarded'
}

/** Tells the client's address; undefined when it cannot be told, so that no IP list lets the caller in. */
export type AddressReader = (rawHeaders: readonly string[], peer: string | undefined) => string | undefined

/**
 * Prepares the reader. The client's address is the last hop that is no trusted proxy: what stands before it, the client
 * wrote. Without proxies it is the connection's other end, whatever the headers say.
 *
 * A block that cannot be read is a `TypeError`.
 */
export function compileAddressReader(proxies: TrustedProxies | undefined): AddressReader {
  if (proxies === undefined) return (_rawHeaders, peer) => peer
  for (const block of proxies.addresses) {
    const parsed = parseCidr(block)
    if ('fault' in parsed) throw new TypeError(`A block of the trusted proxies is not valid. ${parsed.fault}`)
  }
  const trusted = compileIpAllow(proxies.addresses)
  const hops = proxies.header === 'forwarded' ? forwardedHops : forwardedForHops
  return (rawHeaders, peer) => lastUntrusted([...hops(rawHeaders), peer], trusted)
}

function lastUntrusted(hops: readonly (string | undefined)[], trusted: IpAllow): string | undefined {
  for (const hop of hops.toReversed()) {
    if (hop === undefined || parseIp(hop) === undefined) return undefined
    if (!trusted.allows(hop)) return hop
  }
  return hops[0]
}

function forwardedForHops(rawHeaders: readonly string[]): (string | undefined)[] {
  return headerValues(rawHeaders, 'x-forwarded-for')
    .flatMap((value) => value.split(','))
    .map((hop) => withoutPort(hop.trim()))
}

/** RFC 7239. What it cannot read, such as a quoted comma, becomes a hop without an address. */
function forwardedHops(rawHeaders: readonly string[]): (string | undefined)[] {
  return headerValues(rawHeaders, 'forwarded')
    .flatMap((value) => value.split(','))
    .map((element) => {
      const nodes = element.split(';').flatMap((pair) => FORWARDED_FOR.exec(pair)?.slice(1) ?? [])
      const [quoted, bare] = nodes
      return nodes.length === 2 ? withoutPort(quoted ?? bare ?? '') : undefined
    })
}

const FORWARDED_FOR = /^\s*for=(?:"([^"\\]*)"|([^"\s]*))\s*$/i
const WITH_PORT = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?$/i

/** The address of `192.0.2.1:443`, `[2001:db8::1]:443` or `[2001:db8::1]`; any other text as it is. */
function withoutPort(hop: string): string {
  const match = WITH_PORT.exec(hop)
  return match?.[1] ?? match?.[2] ?? hop
}
