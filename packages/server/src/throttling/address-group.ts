import { parseIp } from '@claviger/verify'

/** What an address is counted under. */
export interface AddressGroups {
  readonly own: string
  /** The /48 of an IPv6 address: what one customer of a provider may have, and 65,536 times an `own`. */
  readonly site: string | undefined
}

/**
 * Who counts as one caller: an IPv4 address, or the /64 of an IPv6 address, for whoever has one address of it has all.
 * Every spelling of an address is one, and an IPv4-mapped IPv6 address is the IPv4 address. What is no address is one
 * group too, so that nobody gets more attempts by sending nonsense.
 */
export function addressGroups(ip: string): AddressGroups {
  const address = parseIp(ip)
  if (address === undefined) return { own: 'no address', site: undefined }
  const [first, second, , last] = address.words
  if (address.version === 4) return { own: `4:${last.toString(16)}`, site: undefined }
  const start = first.toString(16)
  return { own: `6:${start}:${second.toString(16)}`, site: `6:${start}:${(second >>> 16).toString(16)}/48` }
}
