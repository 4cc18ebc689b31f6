import { basename, join } from 'node:path'
import { defineConfig } from 'tsdown'

const SOURCES = join(import.meta.dirname, 'src')

/** Files that stand on `node:` or on more code than they are worth there: their namesakes stand in their place. */
const REPLACED: ReadonlyMap<string, string> = new Map(
  [
    'crypto.ts',
    'edge/turn-lease.ts',
    'tokens/plain-payload.ts',
    'tokens/signature-schemes.ts',
    'verifier/credential-cache.ts',
    'verifier/format-instant.ts',
    'verifier/grant-table.ts',
  ].map((path) => [join(SOURCES, path), join(SOURCES, 'portable', basename(path))]),
)

/**
 * How the digest's library checks what it is given and in which order it is called. It has one caller, which gives it
 * bytes and calls it once (`portable/crypto.ts`); without these calls, the code behind them is not needed either.
 */
const CHECKS_OF_THE_DIGEST = ['abytes', 'aexists', 'aoutput']

/** What is built, each into one file with all that it needs: a Worker is uploaded as it is. */
export const ENTRIES = {
  portable: 'src/portable/index.ts',
  fetch: 'src/middleware/fetch.ts',
  hono: 'src/middleware/hono.ts',
}

/** The portable build: for runtimes that know web standards and no `node:` (decision 0030). */
const portable = defineConfig({
  cwd: import.meta.dirname,
  platform: 'neutral',
  target: 'es2022',
  format: 'esm',
  minify: true,
  treeshake: { manualPureFunctions: CHECKS_OF_THE_DIGEST },
  // Those that say what is pure have been read by then.
  outputOptions: { comments: false },
  // Its types are the sources'.
  dts: false,
  deps: { alwaysBundle: [/^@noble\/hashes/] },
  plugins: [
    {
      name: 'portable',
      async resolveId(source, importer) {
        const resolved = await this.resolve(source, importer, { skipSelf: true })
        const replacement = REPLACED.get(resolved?.id ?? '')
        return replacement === undefined ? resolved : replacement
      },
    },
  ],
})

export default Object.entries(ENTRIES).map(([name, file]) => ({
  ...portable,
  entry: { [name]: file },
  clean: false,
}))
