import type { DistributionSnapshot } from '@claviger/engine'

/** One histogram of a family. Label values are the server's own words, so they need no escaping. */
export interface HistogramSeries {
  readonly labels: Readonly<Record<string, string>>
  readonly values: DistributionSnapshot
}

/**
 * A family of histograms in Prometheus's text format (version 0.0.4). What is counted in arrays is written from them:
 * prom-client's own histogram wants to be told of every single value.
 */
export function histogramText(name: string, help: string, series: readonly HistogramSeries[]): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`]
  for (const { labels, values } of series) {
    for (const [index, bound] of values.bounds.entries()) {
      const le = Number.isFinite(bound) ? String(bound) : '+Inf'
      lines.push(`${name}_bucket${labelText({ ...labels, le })} ${values.cumulative[index]}`)
    }
    lines.push(`${name}_sum${labelText(labels)} ${values.sum}`)
    lines.push(`${name}_count${labelText(labels)} ${values.cumulative.at(-1)}`)
  }
  return `${lines.join('\n')}\n`
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels)
  return entries.length === 0 ? '' : `{${entries.map(([name, value]) => `${name}="${value}"`).join(',')}}`
}
