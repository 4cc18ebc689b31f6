import type { Command } from 'commander'
import { parseWholeNumber } from './option-values.ts'

/** Gives a command the options that every list takes. */
export function addPageOptions(command: Command): void {
  command
    .option('--limit <number>', 'how many at most (default: 50)', parseWholeNumber)
    .option('--cursor <text>', 'where the page before ended')
}
