/** A proxy of a NATS server that holds back what a stream delivers: for its clients the server has more events and sends none. */
import {once} from 'node:events'
import {connect as connectSocket, createServer, type Socket} from 'node:net'

export interface DeafProxy extends AsyncDisposable {
  readonly url: string
}

/** @param letThrough how many events of the stream are let through, on all connections together */
export async function startDeafProxy(port: number, letThrough: number): Promise<DeafProxy> {
  let left = letThrough
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connectSocket(port, '127.0.0.1')
    const keepOut = createFilter((line) => {
      if (!/ tally\.evt\..* \$JS\.ACK\./.test(line)) return false
      left -= 1
      return left < 0
    })
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
    client.on('data', (bytes) => upstream.write(bytes))
    upstream.on('data', (bytes) => client.write(keepOut(bytes)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a listening socket has a port')
  return {
    url: `nats://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Cuts what the server sends into its protocol's messages, and leaves out those whose first line is chosen. */
function createFilter(isKeptBack: (line: string) => boolean): (bytes: Buffer) => Buffer {
  let rest = Buffer.alloc(0)
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    const passed: Buffer[] = []
    for (;;) {
      const end = rest.indexOf('\r\n')
      if (end === -1) break
      const line = rest.toString('utf8', 0, end)
      // MSG and HMSG end with the size of what follows.
      const size = /^H?MSG /.test(line) ? Number(line.split(' ').at(-1)) + 2 : 0
      const length = end + 2 + size
      if (rest.length < length) break
      if (!isKeptBack(line)) passed.push(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
    return Buffer.concat(passed)
  }
}
