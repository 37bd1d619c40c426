/** WebSockets: checks who may open one, and ends those whose other side is gone. */
import type {IncomingMessage} from 'node:http'
import type {Duplex} from 'node:stream'
import {type WebSocket, WebSocketServer} from 'ws'
import {isId} from '../../../machines/ledger/ids.ts'
import {TallyError} from '../../kernel/errors.ts'
import {type Backend, toClient} from './backend.ts'
import {checkFetchSite, checkHost, checkOrigin} from './guard.ts'
import {readSession} from './read-session.ts'
import {openProcess} from './terminal-process.ts'
import {parseTerminalRequest} from './terminal-request.ts'
import {runTerminal} from './terminal-session.ts'

export interface Terminals {
  /** Resolves when the session is over. Rejects, before there is a WebSocket, with a TallyError for an HTTP response. */
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>
  /** Resolves when every process that has to be hung up on was. */
  settled(): Promise<void>
}

/** Pasted text comes in one message. */
const largestMessageBytes = 1024 * 1024
const pingMs = 15_000
/** Pings without a response before the connection counts as lost. */
const mostMissed = 3

export function createTerminals(backend: Backend): Terminals {
  const server = new WebSocketServer({noServer: true, maxPayload: largestMessageBytes, perMessageDeflate: false, clientTracking: false})
  const running = new Set<Promise<void>>()

  return {
    upgrade,
    settled: async () => void (await Promise.all(running)),
  }

  async function upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    checkHost(incoming.headers, incoming.socket.localAddress)
    checkOrigin(incoming.headers)
    checkFetchSite(incoming.headers)
    const session = readSession(backend.sessions, incoming.headers)
    const {address, query} = parseTarget(incoming.url ?? '')
    const request = parseTerminalRequest(query)
    const connect = () => toClient(backend, session, address.node)
    // From here on errors are sent as messages: a browser hides the HTTP error of a WebSocket from the page.
    const accepted = await new Promise<WebSocket>((resolve) => server.handleUpgrade(incoming, socket, head, resolve))
    accepted.on('error', (error) => backend.logger.debug({err: error}, 'a terminal has failed'))
    accepted.pause()
    keepAlive(accepted)
    const terminal = runTerminal({
      socket: accepted,
      open: async () => await openProcess(await connect(), address, request),
      connect,
      clock: backend.clock,
    })
    running.add(terminal)
    await terminal.finally(() => running.delete(terminal))
  }
}

function parseTarget(target: string) {
  const url = URL.parse(target, 'http://localhost')
  const [, node, namespace, id] = /^\/api\/containers\/([^/]+)\/([^/]+)\/([^/]+)\/terminal$/.exec(url?.pathname ?? '') ?? []
  if (!url || !isId(node) || !isId(namespace) || !isId(id))
    throw new TallyError('INVALID_REQUEST', 'expected /api/containers/<node>/<ns>/<id>/terminal for a WebSocket')
  return {address: {node, namespace, id}, query: url.searchParams}
}

/**
 * A browser that is gone does not respond to a ping. A socket that is not read, since its process takes no input, cannot receive the
 * response: there a failing write shows that the browser is gone.
 */
function keepAlive(socket: WebSocket): void {
  let missed = 0
  const timer = setInterval(() => {
    if (missed >= mostMissed) return socket.terminate()
    if (!socket.isPaused) missed += 1
    socket.ping()
  }, pingMs)
  for (const sign of ['pong', 'message'] as const)
    socket.on(sign, () => {
      missed = 0
    })
  socket.once('close', () => clearInterval(timer))
}
