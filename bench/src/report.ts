import type { Measurement } from './interleave.ts'
import type { Aim, Row } from './row.ts'

/** A row as Markdown: what it measures, a table, and whether its aims are met. */
export function describeRow(row: Row, measurements: readonly Measurement[]): string {
  const reference = find(measurements, row.reference)
  return [
    `## ${row.title}`,
    row.measures,
    [
      `| contender | per second${row.rounds.contenders.some((one) => one.processorSeconds) ? ' of a processor' : ''} | against ${row.reference} |`,
      '| --- | ---: | --- |',
      ...measurements.map((one) => `| ${one.name} | ${rate(one)} | ${spread(ratios(one, reference))} |`),
    ].join('\n'),
    `${row.rounds.counted} rounds of ${count(row.rounds.passSize)}. Ratios: median (quartiles; least to most).`,
    ...(row.aims.length === 0 ? [] : [row.aims.map((aim) => describeAim(aim, measurements)).join('\n')]),
  ].join('\n\n')
}

function describeAim(aim: Aim, measurements: readonly Measurement[]): string {
  const reached = ratios(find(measurements, aim.contender), find(measurements, aim.against))
  const verdict = quantile(reached, 0.5) >= aim.atLeast ? 'met' : 'MISSED'
  return `- ${aim.contender}, at least ${aim.atLeast} times ${aim.against}: **${verdict}**, ${spread(reached)}`
}

/** One ratio a round, since only what ran side by side may be compared. */
function ratios(one: Measurement, reference: Measurement): number[] {
  return one.perSecond.map((perSecond, round) => perSecond / (reference.perSecond[round] ?? Number.NaN))
}

function rate(one: Measurement): string {
  return count(quantile(one.perSecond, 0.5))
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

export function spread(values: readonly number[]): string {
  const [least, lower, median, upper, most] = [0, 0.25, 0.5, 0.75, 1].map((part) =>
    quantile(values, part).toFixed(3),
  )
  return `${median} (${lower}–${upper}; ${least} to ${most})`
}

/** The value below which the given part of the values lies; between two of them by linear interpolation. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = part * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

function find(measurements: readonly Measurement[], name: string): Measurement {
  const found = measurements.find((one) => one.name === name)
  if (found === undefined) throw new TypeError(`No contender is called ${name}.`)
  return found
}
