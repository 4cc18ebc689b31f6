#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the program's TypeScript can still say so.
const OLDEST_NODE = 24

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.error(
    `error: Claviger needs Node ${OLDEST_NODE} or later, and this is ${process.versions.node}: install it from https://nodejs.org, or run \`npx claviger\` in the repository, which brings one.`,
  )
  process.exitCode = 1
} else {
  await import('../src/main.ts')
}
