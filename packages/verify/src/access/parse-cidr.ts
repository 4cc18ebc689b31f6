import { type CidrBlock, isPrefixLength, parseIp, readCidr } from './ip-allow.ts'

/** Why a text is no CIDR block: one sentence for a person. */
export interface CidrFault {
  readonly fault: string
}

/** Reads a block as {@link readCidr} does, for somebody who is told what is wrong with it. */
export function parseCidr(text: string): CidrBlock | CidrFault {
  return readCidr(text) ?? { fault: faultOf(text) }
}

function faultOf(text: string): string {
  const [address = '', prefix = '', ...rest] = text.split('/')
  if (parseIp(address) === undefined || rest.length > 0) {
    return 'Not an IPv4 or IPv6 address with an optional prefix length, as in 192.0.2.0/24.'
  }
  const width = address.includes(':') ? 128 : 32
  return isPrefixLength(prefix, width)
    ? `Bits are set after the first ${prefix}: write the block's first address, or no prefix length.`
    : `The prefix length must be a number from 0 to ${width}.`
}
