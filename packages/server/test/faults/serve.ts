/** Serves the data folder that is its argument: the process that the fault tests kill, trace and starve. */
import { createServer } from '../../src/index.ts'

const [, , data = '', ...words] = process.argv
const acceptClock = words.includes('accept-clock')
const server = await createServer({ port: 0, data, logLevel: 'warn', acceptClock })
// The pid, because under a tracer it is not the one of the process that the test started.
console.log(`serving ${await server.listen()} ${process.pid}`)

process.once('SIGTERM', () => void server.close())
// A test that dies takes its server with it.
process.stdin.on('end', () => process.exit(1)).resume()
process.stdin.unref()
