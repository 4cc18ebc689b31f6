import { isIP } from 'node:net'
import type { UseCount } from '@claviger/verify'
import type { IssueEvent } from './issue-counts.ts'

/** What was counted, and in which project. */
export interface ProjectUse extends Omit<UseCount, 'kind'> {
  readonly projectId: string
  readonly kind: UseCount['kind'] | IssueEvent
}

/** With the address in its one spelling: a caller must not have as many as an IPv6 address can be written in. */
export function inProject(projectId: string, use: UseCount): ProjectUse {
  return { ...use, projectId, ip: respell(use.ip) }
}

/** An address in its one spelling; what is none is `other`. */
export function respell(ip: string): string {
  if (ip === '' || ip === 'other' || isIP(ip) === 4) return ip
  if (isIP(ip) !== 6 || ip.includes('%')) return 'other'
  const text = new URL(`http://[${ip}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(text)
  if (mapped === null) return text
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}
