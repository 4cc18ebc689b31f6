import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Check, fault, ok, warning } from './check.ts'

const OLDEST_NODE = 24
const FAULT_FREE_BYTES = 64 * 1024 * 1024
const WARNING_FREE_BYTES = 1024 * 1024 * 1024
const TMPFS = 0x01021994
const SYNCS = 15
const SLOW_SYNC_MS = 50

/** The Node that runs this, which is the one that `claviger start` gets here. */
export function checkNode(version: string = process.versions.node): Check {
  return Number.parseInt(version, 10) >= OLDEST_NODE
    ? ok('node', `Node ${version}.`)
    : fault('node', `Node ${version} is too old. Install Node ${OLDEST_NODE} or later.`)
}

export function checkDiskSpace(folder: string): Check {
  const { bavail, bsize } = statfsSync(folder)
  return judgeFreeBytes(bavail * bsize, folder)
}

export function judgeFreeBytes(bytes: number, folder: string): Check {
  const free = `${Math.floor(bytes / 1024 / 1024)} MiB are free in ${folder}.`
  if (bytes < FAULT_FREE_BYTES) return fault('disk-space', `${free} Nothing can be stored soon: make room.`)
  if (bytes < WARNING_FREE_BYTES) return warning('disk-space', `${free} Make room before it is used up.`)
  return ok('disk-space', free)
}

/** Writes a small file again and again, durably, and measures what each wait for the disk takes. */
export function checkSync(folder: string): Check {
  const file = join(folder, `doctor-${process.pid}`)
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    const waits = Array.from({ length: SYNCS }, () => {
      writeSync(descriptor, 'x'.repeat(4096), 0)
      const begunAtMs = performance.now()
      fsyncSync(descriptor)
      return performance.now() - begunAtMs
    }).sort((one, other) => one - other)
    return judgeSync(waits[SYNCS >> 1] ?? 0, statfsSync(folder).type === TMPFS)
  } finally {
    closeSync(descriptor)
    rmSync(file)
  }
}

export function judgeSync(medianMs: number, inMemory: boolean): Check {
  const measured = `A durable write takes ${medianMs.toFixed(2)} ms.`
  if (inMemory) {
    return fault(
      'sync',
      'The data folder is in memory: a restart loses every key. Move it to a disk with --data.',
    )
  }
  return medianMs > SLOW_SYNC_MS
    ? warning('sync', `${measured} Every change waits for that: use a faster disk.`)
    : ok('sync', measured)
}

/** Whether something sets the clock; undefined where that cannot be told. */
export function checkTimeService(): Check | undefined {
  // The marks of systemd-timesyncd and chrony; the system call that tells has no face in Node.
  if (['/run/systemd/timesync/synchronized', '/run/chrony/chronyd.pid'].some((file) => existsSync(file))) {
    return ok('time-service', 'The clock is set by network time.')
  }
  return existsSync('/run/systemd/timesync')
    ? warning(
        'time-service',
        'The clock is not set by network time yet. Look at: timedatectl timesync-status',
      )
    : undefined
}
