/**
 * A WebSocket as a terminal: binary messages are input and output, text messages are JSON. MUST hold: no more than a few pieces of either
 * are in memory; achieved by reading the next piece only when the one before has been taken.
 */
import type {RawData, WebSocket} from 'ws'
import type {ConsoleSize} from '../../../machines/schemas/fields.ts'
import type {ProcessExit} from '../../../machines/ledger/process-exit.ts'
import type {StreamName} from '../../../machines/schemas/streams.ts'
import type {ProcessClient, TallyClient} from '../../client/client.ts'
import {followOutput, type OutputFollower} from '../../client/follow-output.ts'
import {holdOutput, type OutputHold} from '../../client/hold-output.ts'
import {createNamedReader} from '../../client/watched.ts'
import {createInputSender} from '../../client/send-input.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError, toErrorBody} from '../../kernel/errors.ts'
import {createTemporaryErrors} from './temporary-errors.ts'
import {createInputQueue, type InputQueue} from './input-queue.ts'
import {createSizeSender} from '../../client/size-sender.ts'
import {formatMessage, parseMessage} from './terminal-messages.ts'
import type {TerminalProcess} from './terminal-process.ts'

export interface TerminalDependencies {
  /** It is not read before the process takes input. */
  readonly socket: WebSocket
  readonly open: () => Promise<TerminalProcess>
  /** Over the present connection, with the actor of the session. */
  readonly connect: () => Promise<TallyClient>
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
}

const retryMs = 250
/** Output that waits for a page that reads slowly; the rest is in the log. */
const mostQueuedBytes = 512 * 1024
/** How long the end of a process without a terminal is retried. */
const hangUpPatienceMs = 30_000

/** The process, over one connection. */
interface Target {
  readonly client: TallyClient
  readonly process: ProcessClient
}

type State =
  | {readonly type: 'new'}
  /** It was started, or joined, and as far as is known it has not ended. */
  | {readonly type: 'running'; readonly target: Target}
  | {readonly type: 'exited'; readonly target: Target}

/** Resolves when the process has ended or the socket is closed, whichever comes first. Errors are sent to the socket. */
export async function runTerminal(dependencies: TerminalDependencies): Promise<void> {
  const {socket, open} = dependencies
  try {
    const exit = await relay(dependencies, await open())
    if (exit === 'closed') return
    await send(socket, formatMessage({type: 'exit', exit}))
    socket.close(1000)
  } catch (error) {
    await send(socket, formatMessage({type: 'error', error: toErrorBody(error)}))
    socket.close(1011)
  } finally {
    // Otherwise the close of the other side would not be received.
    socket.resume()
  }
}

async function relay({socket, connect, clock}: TerminalDependencies, process: TerminalProcess): Promise<ProcessExit | 'closed'> {
  const temporary = createTemporaryErrors(clock)
  const closed = Promise.withResolvers<'closed'>()
  const failed = Promise.withResolvers<never>()
  socket.once('close', () => closed.resolve('closed'))
  if (socket.readyState !== socket.OPEN) closed.resolve('closed')
  // Awaited only while the process runs.
  failed.promise.catch(() => {})
  const offsets: Record<StreamName, number> = {...process.offsets}
  // Who reads, where no lease is taken.
  const reader = process.isOwn ? undefined : createNamedReader()
  let state: State = {type: 'new'}
  try {
    return await untilEnded()
  } finally {
    if (process.isOwn && isRunning()) await hangUp()
  }

  function isRunning(): boolean {
    return state.type === 'running'
  }

  /** Hangs up, as when the window of a terminal is closed. The process may have ended meanwhile. */
  async function hangUp(): Promise<void> {
    for (const giveUpAt = clock.elapsed() + hangUpPatienceMs; clock.elapsed() < giveUpAt; await clock.sleep(retryMs)) {
      try {
        return void (await process.toClient(await connect()).kill('SIGHUP'))
      } catch (error) {
        if (!temporary.isTemporary(error)) return
      }
    }
  }

  /** Continues where it was after the connection to NATS was lost. */
  async function untilEnded(): Promise<ProcessExit | 'closed'> {
    for (;;) {
      try {
        return await relayOnce()
      } catch (error) {
        if (!temporary.isTemporary(error)) throw error
        if ((await Promise.race([closed.promise, clock.sleep(retryMs)])) === 'closed') return 'closed'
      }
    }
  }

  async function relayOnce(): Promise<ProcessExit | 'closed'> {
    const client = await connect()
    const target = {client, process: process.toClient(client)}
    if (state.type === 'running') state = {type: 'running', target}
    await using hold = process.isOwn ? await holdOutput(target.process, () => offsets) : undefined
    using followers = new DisposableStack()
    // The subscription is made before the program can write.
    const ended = process.streams.map((stream) => followers.use(follow(target, stream, hold)).ended)
    if (state.type === 'new') {
      await process.start(client)
      state = {type: 'running', target}
      await send(socket, formatMessage({type: 'ready', ...(process.isOwn && {exec: target.process.exec})}))
      listen()
    }
    const end = await Promise.race([Promise.all(ended), closed.promise, failed.promise])
    if (end === 'closed') {
      followers.dispose()
      await reader?.letGo(target.process)
      return 'closed'
    }
    const {exit} = await target.process.wait()
    await reader?.letGo(target.process)
    if (!exit) throw new TallyError('INTERNAL', 'the process has ended, and its exit is not known')
    state = {type: 'exited', target}
    return exit
  }

  function follow({client, process}: Target, stream: StreamName, hold: OutputHold | undefined): OutputFollower {
    return followOutput(client, process, {
      stream,
      offset: offsets[stream],
      mostQueuedBytes,
      ...(reader && {reader}),
      onDropped: (count) => {
        offsets[stream] += count
      },
      onBytes: async (bytes) => {
        await send(socket, bytes)
        offsets[stream] += bytes.length
        hold?.tell()
      },
    })
  }

  function listen(): void {
    const toTarget = () => {
      if (state.type === 'new') throw new TallyError('INTERNAL', 'expected a process before its input')
      return state.target
    }
    const sender = createInputSender(toTarget, {isTyped: process.hasTerminal})
    const input: InputQueue = createInputQueue({
      write: (bytes) => untilDelivered(() => sender.write(bytes)),
      source: socket,
      onFailed: (error) => !isOver(error) && failed.reject(error),
    })
    const resize = createSizeSender(async (size: ConsoleSize) => await toTarget().process.resize(size))
    socket.on('message', (data, isBinary) => {
      const bytes = toBytes(data)
      if (isBinary) {
        if (process.takesInput) input.push(bytes)
        return
      }
      const message = parseMessage(bytes)
      if (message && process.hasTerminal) resize({columns: message.columns, rows: message.rows})
    })
    socket.resume()
  }

  /** If the connection is lost, the same piece is sent again over the next one. */
  async function untilDelivered(deliver: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await deliver()
      } catch (error) {
        if (!temporary.isTemporary(error) || socket.readyState !== socket.OPEN) throw error
        await clock.sleep(retryMs)
      }
    }
  }
}

/** Resolves when the kernel has taken it, or the socket is closed. */
function send(socket: WebSocket, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve) => socket.send(data, {binary: typeof data !== 'string'}, () => resolve()))
}

function toBytes(data: RawData): Uint8Array {
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data instanceof ArrayBuffer ? new Uint8Array(data) : data)
}

/** The process has ended, or reads no more input: its exit tells which. */
function isOver(error: unknown): boolean {
  return ['STDIN_CLOSED', 'CONTAINER_NOT_FOUND', 'EXEC_NOT_FOUND', 'ILLEGAL_COMMAND', 'PROCESS_ENDED'].includes(toErrorBody(error).code)
}
