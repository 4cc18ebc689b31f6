import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultyProxy } from '../faulty-proxy.ts'
import type { PeerFault } from './fault-plan.ts'
import type { PeerProcess } from './peer-process.ts'

export interface Harm {
  readonly peer: PeerProcess
  /** Between it and its server. */
  readonly proxy: FaultyProxy
  readonly fault: PeerFault
  readonly lastsMs: number
}

/** Lets a fault begin, last and end. A clock on the wall stays as it was set. */
export async function harmPeer({ peer, proxy, fault, lastsMs }: Harm): Promise<void> {
  const { kind, ms, isCut } = fault
  if (isCut || kind === 'cut') proxy.cut()
  if (kind === 'hold' || kind === 'drop') proxy.hold()
  if (kind === 'delay') proxy.delayMs = ms
  await (HARMS[kind] ?? last)(peer, lastsMs, ms)
  proxy.delayMs = 0
  if (kind === 'drop') proxy.cut()
  proxy.release()
  proxy.mend()
}

const last = (_: PeerProcess, lastsMs: number): Promise<void> => sleep(lastsMs)

const HARMS: Partial<
  Record<PeerFault['kind'], (peer: PeerProcess, lastsMs: number, ms: number) => Promise<void>>
> = {
  stop: pauseFor,
  'wall-ahead': setClockFor,
  'wall-back': setClockFor,
  async 'monotonic-stands'(peer, lastsMs) {
    await peer.standStill(true)
    await sleep(lastsMs)
    await peer.standStill(false)
  },
  async sleep(peer, lastsMs, ms) {
    await peer.standStill(true)
    await pauseFor(peer, lastsMs / 2)
    await peer.standStill(false)
    await sleep(lastsMs / 4)
    await setClockFor(peer, lastsMs / 4, ms)
  },
}

async function pauseFor(peer: PeerProcess, ms: number): Promise<void> {
  peer.pause()
  await sleep(ms)
  peer.resume()
}

async function setClockFor(peer: PeerProcess, lastsMs: number, ms: number): Promise<void> {
  await peer.setClock(ms)
  await sleep(lastsMs)
}
