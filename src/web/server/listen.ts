/**
 * The listening socket. It is open before the node says that it is ready, so that an address in use is reported at once. The handlers
 * are loaded with the first request, and nothing that a client sends can end this process.
 */
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {Socket} from 'node:net'
import type {Duplex} from 'node:stream'
import {setTimeout as sleep} from 'node:timers/promises'
import {TallyError} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import {refuseUpgrade} from './refuse-upgrade.ts'

export interface HttpAddress {
  readonly host: string
  /** 0 for any free port. */
  readonly port: number
}

export interface HttpHandlers {
  request(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>
  /** Resolves when all connections have ended, and what their end caused is done. */
  settled(): Promise<void>
}

export interface HttpListener extends AsyncDisposable {
  /** For a browser on this machine, where it listens on all addresses. */
  readonly url: string
}

export interface ListenOptions {
  /** The default when absent; if another node uses that, any free port. */
  readonly address: HttpAddress | undefined
  readonly load: () => Promise<HttpHandlers>
  readonly logger: Logger
}

export const defaultAddress: HttpAddress = {host: '127.0.0.1', port: 7070}
/** A browser opens a few; further connections wait in the kernel. */
const mostConnections = 512
/** For what the end of connections causes. */
const settlePatienceMs = 1_000

/** @throws TallyError HTTP_ADDRESS_UNUSABLE when an address was given and cannot be used */
export async function listenHttp({address, load, logger}: ListenOptions): Promise<HttpListener | undefined> {
  const server = createServer({headersTimeout: 10_000})
  server.maxConnections = mostConnections
  const serving = serve(server, load, logger)
  if (address) await listen(server, address)
  else if (!(await listenOnDefault(server, logger))) return undefined
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new TallyError('INTERNAL', `expected a port, got ${bound}`)
  // The socket alone must not keep the process running.
  server.unref()
  return {
    url: `http://${toHost(bound.address)}:${bound.port}`,
    [Symbol.asyncDispose]: async () => {
      server.close()
      serving.end()
      await Promise.race([serving.settled(), sleep(settlePatienceMs)])
    },
  }
}

async function listenOnDefault(server: Server, logger: Logger): Promise<boolean> {
  try {
    await listen(server, defaultAddress)
    return true
  } catch (taken) {
    try {
      await listen(server, {...defaultAddress, port: 0})
      logger.info({address: server.address()}, 'port 7070 is taken: the page is on another; `tally ui` knows which')
      return true
    } catch {
      logger.warn({err: taken}, 'cannot listen on loopback: this node serves no page')
      return false
    }
  }
}

async function listen(server: Server, {host, port}: HttpAddress): Promise<void> {
  const {promise, resolve, reject} = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({host, port}, resolve)
  try {
    await promise
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? cause.code : String(cause)
    throw new TallyError('HTTP_ADDRESS_UNUSABLE', `cannot serve HTTP on ${host}:${port} (${why})`, {details: {host, port}, cause})
  } finally {
    server.off('error', reject)
  }
}

interface Serving {
  /** Ends every connection, also those that have become WebSockets. */
  end(): void
  settled(): Promise<void>
}

function serve(server: Server, load: () => Promise<HttpHandlers>, logger: Logger): Serving {
  const sockets = new Set<Socket>()
  let loading: Promise<HttpHandlers> | undefined
  const loaded = () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('error', (error) => logger.error({err: error}, 'the HTTP server has failed'))
  server.on('request', (incoming, outgoing) => {
    loaded()
      .then(({request}) => request(incoming, outgoing))
      .catch((error: unknown) => {
        logger.error({err: error}, 'an HTTP request failed by a fault of ours')
        outgoing.destroy()
      })
  })
  server.on('upgrade', (incoming, socket, head) => {
    // Before the first await: an error event without a listener would end this process.
    socket.on('error', (error) => logger.debug({err: error}, 'a WebSocket has failed'))
    loaded()
      .then(({upgrade}) => upgrade(incoming, socket, head))
      .catch((error: unknown) => {
        logger.debug({err: error}, 'refusing a WebSocket')
        refuseUpgrade(socket, error)
      })
  })
  return {
    end: () => {
      for (const socket of sockets) socket.destroy()
    },
    settled: async () => await (await loading?.catch(() => undefined))?.settled(),
  }
}

function toHost(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1'
  if (address === '::') return '[::1]'
  return address.includes(':') ? `[${address}]` : address
}
