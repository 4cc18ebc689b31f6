import type { Actor } from '../commands/command.ts'
import type { ArgsOf, Commands, ResultOf } from '../commands/registry.ts'
import { type CommandRunner, type Writer, withSecrets } from '../commands/writer.ts'
import type { Once } from './once.ts'

/**
 * Runs the command of a request that carries an idempotency key: the writer thread runs it, or finds that the request
 * has run it before. Of 50 at once one runs, and all get its answer (rule C7).
 */
export class OnceWriter implements CommandRunner {
  readonly #writer: Writer
  readonly #once: Once
  #used = false

  constructor(writer: Writer, once: Once) {
    this.#writer = writer
    this.#once = once
  }

  get alive(): boolean {
    return this.#writer.alive
  }

  onChanges(listener: Parameters<Writer['onChanges']>[0]): () => void {
    return this.#writer.onChanges(listener)
  }

  async run<Name extends keyof Commands & string, Secrets extends object = object>(
    name: Name,
    args: ArgsOf<Commands[Name]>,
    actor: Actor,
    secrets?: Secrets,
  ): Promise<ResultOf<Commands[Name]> & Secrets> {
    // A second command would find the first one's record, and take its answer.
    if (this.#used) throw new TypeError(`${name} is the second command of a request that is to run once`)
    this.#used = true
    const once = this.#once.recordOf(secrets)
    const { result, recalled } = await this.#writer.submit(name, args, { actor, once })
    if (recalled === undefined) return withSecrets(result, secrets)
    return this.#once.answerOf(result, recalled) as ResultOf<Commands[Name]> & Secrets
  }
}
