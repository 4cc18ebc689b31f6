import { join } from 'node:path'
import { defineConfig } from 'tsdown'

const SOURCES = join(import.meta.dirname, 'src')

/** Files that stand on `node:`, and what stands in their place where there is none. */
const REPLACED: ReadonlyMap<string, string> = new Map([
  [join(SOURCES, 'crypto.ts'), join(SOURCES, 'portable/crypto.ts')],
  [join(SOURCES, 'tokens/signature-schemes.ts'), join(SOURCES, 'portable/signature-schemes.ts')],
])

/** The portable build: one file for runtimes that know web standards and no `node:` (decision 0030). */
export default defineConfig({
  cwd: import.meta.dirname,
  entry: { portable: 'src/portable/index.ts' },
  platform: 'neutral',
  target: 'es2022',
  format: 'esm',
  minify: true,
  // Its types are the sources'.
  dts: false,
  // In one file, with what it depends on: a Worker is uploaded as it is.
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
