import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'tsdown'
import portable, { type ENTRIES } from '../tsdown.config.ts'

export interface PortableBuild {
  readonly folder: string
  /** The bundles, by their names. */
  readonly files: Readonly<Record<keyof typeof ENTRIES, string>>
  /** The path of each module that has code in one of them. */
  readonly modules: readonly string[]
}

/** Builds the portable bundles, as `npm run build` does, into a folder of their own. */
export async function buildPortable(): Promise<PortableBuild> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-portable-'))
  const modules = new Set<string>()
  for (const config of portable) {
    await build({
      ...config,
      config: false,
      outDir: folder,
      logLevel: 'silent',
      plugins: [
        config.plugins,
        {
          name: 'list-modules',
          generateBundle(_options, bundle) {
            for (const part of Object.values(bundle)) {
              if (part.type === 'chunk') for (const path of Object.keys(part.modules)) modules.add(path)
            }
          },
        },
      ],
    })
  }
  const fileOf = (name: string): string => join(folder, `${name}.js`)
  const files = { portable: fileOf('portable'), fetch: fileOf('fetch'), hono: fileOf('hono') }
  return { folder, files, modules: [...modules] }
}
