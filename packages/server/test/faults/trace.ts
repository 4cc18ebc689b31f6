/** What a trace says of the answers that acknowledge a creation. */
export interface TraceReport {
  /** In the order of the trace. */
  readonly answers: number
  /** Of these, the ones that were sent before the log's last write was synced. */
  readonly early: readonly number[]
  /** Of these, the ones before which nothing was written to the log since the answer before. */
  readonly unwritten: readonly number[]
  readonly syncs: number
}

const CALL = /^(?<pid>\d+) +(?:<\.\.\. )?(?<name>\w+)(?<rest>.*)$/
const SYNCS: ReadonlySet<string> = new Set(['fsync', 'fdatasync'])

/**
 * Reads a trace of `strace -f -yy`. A call that another thread interrupts has two lines; a sync counts from the first
 * (later writes are not its) and only once the second says that it succeeded.
 */
export function readTrace(trace: string): TraceReport {
  const syncing = new Map<string, number>()
  const early: number[] = []
  const unwritten: number[] = []
  let [answers, syncs, writes, synced, writesAtAnswer] = [0, 0, 0, 0, 0]

  for (const line of trace.split('\n')) {
    const { pid = '', name = '', rest = '' } = CALL.exec(line)?.groups ?? {}
    const begins = !rest.startsWith(' resumed>')
    if (SYNCS.has(name)) {
      if (begins && rest.includes('-wal>')) syncing.set(pid, writes)
      const covered = syncing.get(pid)
      if (covered === undefined || rest.endsWith('<unfinished ...>')) continue
      syncing.delete(pid)
      if (!/= 0\b/.test(rest)) continue
      syncs += 1
      synced = Math.max(synced, covered)
    } else if (begins && rest.includes('-wal>')) {
      writes += 1
    } else if (begins && rest.includes('"HTTP/1.1 201')) {
      if (synced < writes) early.push(answers)
      if (writes === writesAtAnswer) unwritten.push(answers)
      writesAtAnswer = writes
      answers += 1
    }
  }
  return { answers, early, unwritten, syncs }
}
