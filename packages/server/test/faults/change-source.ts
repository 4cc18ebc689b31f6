/**
 * Preloaded into a server that must be wrong: changes the shipped code as it is loaded, in every thread, so that
 * the tests can show what they would find, and no switch for it exists in the product.
 */
import { registerHooks } from 'node:module'
import type { SourceChange } from './child-server.ts'

const changes: readonly SourceChange[] = JSON.parse(process.env.FAULT_SOURCE_CHANGES ?? '[]')

registerHooks({
  load(url, context, nextLoad) {
    const module = nextLoad(url, context)
    let source = String(module.source)
    const wanted = changes.filter(({ file }) => url.endsWith(`/${file}`))
    for (const { file, from, to } of wanted) {
      if (source.split(from).length !== 2) throw new TypeError(`${file} does not hold once: ${from}`)
      source = source.replace(from, () => to)
    }
    return wanted.length === 0 ? module : { ...module, source }
  },
})
