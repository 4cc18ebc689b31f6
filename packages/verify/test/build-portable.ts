import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'tsdown'
import portable from '../tsdown.config.ts'

export interface PortableBuild {
  readonly folder: string
  /** The bundle. */
  readonly file: string
  /** The path of each module that has code in it. */
  readonly modules: readonly string[]
}

/** Builds the portable bundle, as `npm run build` does, into a folder of its own. */
export async function buildPortable(): Promise<PortableBuild> {
  const folder = mkdtempSync(join(tmpdir(), 'claviger-portable-'))
  const modules: string[] = []
  await build({
    ...portable,
    config: false,
    outDir: folder,
    logLevel: 'silent',
    plugins: [
      portable.plugins,
      {
        name: 'list-modules',
        generateBundle(_options, bundle) {
          for (const part of Object.values(bundle)) {
            if (part.type === 'chunk') modules.push(...Object.keys(part.modules))
          }
        },
      },
    ],
  })
  return { folder, file: join(folder, 'portable.js'), modules }
}
