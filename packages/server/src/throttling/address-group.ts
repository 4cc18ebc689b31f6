import { parseIp } from '@claviger/verify'

/**
 * Who counts as one caller: an IPv4 address, or the /64 of an IPv6 address, for whoever has one address of it has all.
 * Every spelling of an address is one, and an IPv4-mapped IPv6 address is the IPv4 address. What is no address is one
 * group too, so that nobody gets more attempts by sending nonsense.
 */
export function addressGroup(ip: string): string {
  const address = parseIp(ip)
  if (address === undefined) return 'no address'
  const [first, second, , last] = address.words
  return address.version === 4 ? `4:${last.toString(16)}` : `6:${first.toString(16)}:${second.toString(16)}`
}
