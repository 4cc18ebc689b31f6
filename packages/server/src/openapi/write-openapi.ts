/**
 * Writes the generated files. It runs no server and opens no database; a test fails when the committed files differ
 * from what this writes.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { GENERATED_FILES } from './generated-files.ts'

for (const { url, content } of GENERATED_FILES) {
  mkdirSync(new URL('.', url), { recursive: true })
  writeFileSync(url, content())
}
