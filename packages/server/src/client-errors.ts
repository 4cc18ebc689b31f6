import type { Socket } from 'node:net'
import { CodedError } from '@claviger/engine'
import { PROBLEM_MEDIA_TYPE, problemOf, toCodedError } from './problem.ts'

/**
 * Answers what Node's parser refuses before there is a request: headers beyond the cap, bytes that are no HTTP, a
 * request that never ended. Nobody knows yet which route it was meant for, so this comes before authentication.
 */
export function answerClientError(error: Error, socket: Socket): void {
  if (!socket.writable || ('code' in error && error.code === 'ECONNRESET')) {
    socket.destroy()
    return
  }
  const known = toCodedError(error)
  const problem = problemOf(known.code === 'internal' ? notHttp() : known)
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.title}\r\nContent-Type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  )
}

function notHttp(): CodedError {
  return new CodedError('invalid_request', 'This is no HTTP/1.1 request that can be read.')
}
