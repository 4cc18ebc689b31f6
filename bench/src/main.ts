/**
 * The benchmarks of DESIGN section 10. `npm run bench` prints all rows as Markdown;
 * `npm run bench -- key-warm token-seen` those named.
 */
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { arch, availableParallelism, cpus, platform } from 'node:os'
import { betterAuthCreate, betterAuthVerify } from './better-auth.ts'
import { edgeLatency } from './edge-latency.ts'
import { edgeRules } from './edge-rules.ts'
import { interleave } from './interleave.ts'
import { keyAfterChange } from './key-after-change.ts'
import { keyCold } from './key-cold.ts'
import { keyEdge } from './key-edge.ts'
import { keyWarm } from './key-warm.ts'
import { memory } from './memory.ts'
import { mint } from './mint.ts'
import { makeSigningKeys, makeTokens } from './project.ts'
import { refusalTiming } from './refusal-timing.ts'
import { describeRow } from './report.ts'
import type { Row } from './row.ts'
import { type FirstSightAlgorithm, PEERS, tokenFirstSight } from './token-first-sight.ts'
import { tokenSeen } from './token-seen.ts'
import { verifyBesideCreates } from './verify-beside-creates.ts'
import { verifyHttp } from './verify-http.ts'

const TOKEN_COUNT = 20_000
const WARM_UP_COUNT = 12_000

const signing = makeSigningKeys('RS256')
let signed: ReturnType<typeof makeTokens> | undefined
/** RSA signatures take a third of the whole run: only made when a row wants them, and once. */
const tokens = () => (signed ??= makeTokens(TOKEN_COUNT + WARM_UP_COUNT, signing))

async function firstSight(algorithm: FirstSightAlgorithm): Promise<Row> {
  const keys = makeSigningKeys(algorithm)
  return tokenFirstSight(algorithm, keys, await makeTokens(TOKEN_COUNT + WARM_UP_COUNT, keys))
}

/** A row whose contenders take turns, as Markdown. */
async function run(row: Row): Promise<string> {
  const text = describeRow(row, await interleave(row.rounds))
  await row.close?.()
  return text
}

/** Each prints itself, as Markdown. */
const ROWS: Readonly<Record<string, () => Promise<string>>> = {
  'key-warm': async () => run(await keyWarm(signing)),
  'key-after-change': async () => run(await keyAfterChange(signing)),
  'key-cold': async () => run(await keyCold()),
  'better-auth-verify': async () => run(await betterAuthVerify()),
  'better-auth-create': async () => run(await betterAuthCreate()),
  'token-seen': async () => run(await tokenSeen(signing, await tokens())),
  'token-first-sight': async () => run(await tokenFirstSight('RS256', signing, await tokens())),
  'token-first-sight-es256': async () => run(await firstSight('ES256')),
  'token-first-sight-ps256': async () => run(await firstSight('PS256')),
  memory: async () => memory(signing, await tokens()),
  mint: async () => run(await mint()),
  'verify-http': async () => run(await verifyHttp()),
  'refusal-timing': refusalTiming,
  'verify-beside-creates': verifyBesideCreates,
  'key-edge': async () =>
    [await run(await keyEdge('verify')), await run(await keyEdge('verifyCached'))].join('\n\n'),
  'edge-latency': edgeLatency,
  'edge-rules': edgeRules,
}

const chosen = process.argv.slice(2)
const unknown = chosen.find((name) => !Object.hasOwn(ROWS, name))
if (unknown !== undefined)
  throw new TypeError(`There is no row ${unknown}. Rows: ${Object.keys(ROWS).join(', ')}.`)
if (globalThis.gc === undefined) throw new TypeError('Run it as `npm run bench`, or with --expose-gc.')

print(describeRun())
for (const [name, describe] of Object.entries(ROWS)) {
  if (chosen.length === 0 || chosen.includes(name)) print(await describe())
}

function describeRun(): string {
  const { node, v8, openssl } = process.versions
  const model = cpus()[0]?.model ?? 'unknown processor'
  return [
    '# Benchmarks',
    `Node ${node}, V8 ${v8}, OpenSSL ${openssl}; ${model}, ${availableParallelism()} cores, ${platform()} ${arch()}; ` +
      `${PEERS.map((name) => `${name} ${versionOf(name)}`).join(', ')}.`,
    'Contenders take turns in one process, and a ratio is taken within each round. Credentials are new strings in ' +
      'every pass. The verifier is the one of production; its facts (10,000 revocation rules, roles, subject ' +
      'records) come from memory, except where a row speaks of a database or a server. Absolute figures are this machine’s, ratios travel.',
  ].join('\n\n')
}

function versionOf(name: string): string {
  const path = findPackageJSON(name, import.meta.url)
  const { version } = path === undefined ? {} : JSON.parse(readFileSync(path, 'utf8'))
  return typeof version === 'string' ? version : 'of unknown version'
}

function print(text: string): void {
  process.stdout.write(`${text}\n\n`)
}
