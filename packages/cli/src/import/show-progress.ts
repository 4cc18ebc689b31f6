import type { ImportTotals } from './import-lines.ts'

/** How far an import has come, shown on standard error. */
export interface ProgressDisplay {
  update(totals: ImportTotals, bytesRead: number): void
  end(): void
}

const BAR_WIDTH = 30
const REDRAW_MS = 100
const LINE_MS = 5_000
const CLEAR_REST_OF_LINE = '\x1b[K'

/**
 * A bar on a terminal, else a line now and then. `totalBytes` undefined: nobody knows how much is to come, as from
 * a pipe.
 *
 * The bars of prompt libraries take the keyboard over and end the program with code 0 at Ctrl-C: a script would go on as
 * if all had been imported.
 */
export function showProgress(totalBytes: number | undefined): ProgressDisplay {
  const isTerminal = process.stderr.isTTY === true
  const intervalMs = isTerminal ? REDRAW_MS : LINE_MS
  let lastMs = isTerminal ? 0 : performance.now()
  return {
    update(totals, bytesRead) {
      const nowMs = performance.now()
      if (nowMs - lastMs < intervalMs) return
      lastMs = nowMs
      const share = totalBytes === undefined ? undefined : Math.min(1, bytesRead / totalBytes)
      const text = `${share === undefined ? '' : `${Math.floor(100 * share)} %, `}${describe(totals)}`
      if (!isTerminal) console.error(text)
      else process.stderr.write(`\r${share === undefined ? '' : drawBar(share)}${text}${CLEAR_REST_OF_LINE}`)
    },
    end() {
      if (isTerminal) process.stderr.write(`\r${CLEAR_REST_OF_LINE}`)
    },
  }
}

function drawBar(share: number): string {
  const filled = Math.round(share * BAR_WIDTH)
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} `
}

function describe({ imported, exists, failed }: ImportTotals): string {
  return `${imported} imported, ${exists} there already, ${failed} failed`
}
