#!/usr/bin/env node
const OLDEST_NODE = 24

// The program is imported late: an older Node would stop at the first file that it cannot read, and not say why.
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.error(`error: Claviger needs Node ${OLDEST_NODE} or later; this is ${process.versions.node}.`)
  process.exitCode = 1
} else {
  const { run } = await import('./run.ts')
  process.exitCode = await run(process.argv.slice(2))
}
