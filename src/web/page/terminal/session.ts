/** A terminal in a container, over a WebSocket: binary messages contain input and output, JSON messages control the session. */
import * as z from 'zod'
import type {ConsoleSize} from '../../../../machines/schemas/fields.ts'
import type {ContainerAddress} from '../../../../machines/ledger/ids.ts'
import {type ProcessExit, processExitSchema} from '../../../../machines/ledger/process-exit.ts'
import {type Failure, failureSchema} from '../../../../machines/ledger/events.ts'
import {containerPath} from '../api/paths.ts'

export type TerminalTarget = {readonly mode: 'exec'; readonly args: readonly string[]} | {readonly mode: 'attach'}

const messageSchema = z.discriminatedUnion('type', [
  z.object({type: z.literal('ready'), exec: z.string().optional()}),
  z.object({type: z.literal('exit'), exit: processExitSchema}),
  z.object({type: z.literal('error'), error: failureSchema}),
])

export type TerminalEnd =
  | {readonly type: 'exit'; readonly exit: ProcessExit}
  | {readonly type: 'error'; readonly failure: Failure}
  /** The connection went, for whatever reason: the process may live on. */
  | {readonly type: 'lost'}

export interface TerminalSession extends Disposable {
  send(bytes: Uint8Array<ArrayBuffer>): void
  resize(size: ConsoleSize): void
}

interface SessionHandlers {
  onReady(): void
  onBytes(bytes: Uint8Array): void
  /** Once. */
  onEnd(end: TerminalEnd): void
}

export function openTerminalSession(
  address: ContainerAddress,
  target: TerminalTarget,
  size: ConsoleSize,
  {onReady, onBytes, onEnd}: SessionHandlers,
): TerminalSession {
  const query = new URLSearchParams({
    mode: target.mode,
    ...(target.mode === 'exec' && {args: JSON.stringify(target.args)}),
    columns: String(size.columns),
    rows: String(size.rows),
  })
  const url = new URL(`${containerPath(address, '/terminal')}?${query}`, location.href)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  const socket = new WebSocket(url)
  let hasEnded = false
  socket.binaryType = 'arraybuffer'
  socket.onmessage = ({data}: MessageEvent<unknown>) => {
    if (data instanceof ArrayBuffer) onBytes(new Uint8Array(data))
    else hear(messageSchema.parse(JSON.parse(String(data))))
  }
  socket.onclose = () => end({type: 'lost'})
  return {
    send: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(bytes)
    },
    resize: ({columns, rows}) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({type: 'resize', columns, rows}))
    },
    [Symbol.dispose]: () => {
      hasEnded = true
      socket.close()
    },
  }

  function hear(message: z.infer<typeof messageSchema>): void {
    if (message.type === 'ready') onReady()
    else if (message.type === 'exit') end({type: 'exit', exit: message.exit})
    else end({type: 'error', failure: message.error})
  }

  function end(how: TerminalEnd): void {
    if (hasEnded) return
    hasEnded = true
    onEnd(how)
    socket.close()
  }
}
