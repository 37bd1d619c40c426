/** A TCP server that greets as a nats-server does, and records all that it receives. */
import {once} from 'node:events'
import {createServer, type Socket} from 'node:net'

export interface RecordingServer extends AsyncDisposable {
  readonly port: number
  /** How many have connected. */
  readonly connections: number
  /** All bytes that came, of all connections. */
  readonly received: string
}

/** @param info further fields of the INFO that it sends */
export async function startRecordingServer(info: Readonly<Record<string, unknown>> = {}): Promise<RecordingServer> {
  const sockets = new Set<Socket>()
  let connections = 0
  let received = ''
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    const hello = {server_id: 'fake', version: '2.10.0', proto: 1, headers: true, max_payload: 1_048_576, ...info}
    socket.write(`INFO ${JSON.stringify(hello)}\r\n`)
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
      if (bytes.includes('PING')) socket.write('PONG\r\n')
    })
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a listening socket has a port')
  return {
    port: address.port,
    get connections() {
      return connections
    },
    get received() {
      return received
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
