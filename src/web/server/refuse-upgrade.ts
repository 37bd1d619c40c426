import {STATUS_CODES} from 'node:http'
import type {Duplex} from 'node:stream'
import {toHttpError} from './http-errors.ts'

/** Responds with an HTTP error instead of opening a WebSocket. */
export function refuseUpgrade(socket: Duplex, error: unknown): void {
  const {status, body} = toHttpError(error)
  const text = JSON.stringify(body)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json',
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${Buffer.byteLength(text)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`)
}
