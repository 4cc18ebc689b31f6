/** The child's side of `server-process.ts`: says where it listens, what it has used, and ends when it is told to. */
export function answerParent(url: string, close: () => Promise<unknown>): void {
  process.send?.(url)
  // Also when the parent has failed: nothing is left running.
  process.once('disconnect', () => process.exit())
  process.on('message', async (message) => {
    if (message === 'usage') {
      const { user, system } = process.cpuUsage()
      process.send?.((user + system) / 1e6)
    } else {
      await close()
      process.disconnect()
    }
  })
}
