/** In the foreground with a process, as if it had been started here: its output, its input, its signals, and how it ends. */
import type {ProcessClient, TallyClient} from '../client/client.ts'
import {followOutput} from '../client/follow-output.ts'
import {type Got, holdOutput, type OutputHold} from '../client/hold-output.ts'
import type {ProcessExit} from '../../machines/ledger/process-exit.ts'
import type {StreamName} from '../../machines/schemas/streams.ts'
import {exitCodes, toExitStatus} from './exit-codes.ts'
import {writeToFd} from './fd-writer.ts'
import {createForwarder} from './forward-signals.ts'
import {type InputEnd, pumpInput} from './pump-input.ts'
import {printNote} from './print.ts'
import {withReconnect} from './reconnect.ts'
import {enterRawMode} from './terminal.ts'
import type {SignalWatch} from './watch-signals.ts'

export interface SessionOptions {
  /** The process, by whichever client is connected. */
  readonly toProcess: (client: TallyClient) => ProcessClient
  /** What a person calls it. */
  readonly name: string
  /** Called when its output is listened to already, and again when the connection was lost before the answer came. */
  readonly start: (client: TallyClient) => Promise<void>
  /** Its output from the first byte, or only what comes from now on. */
  readonly from: 'beginning' | 'now'
  /** It removes itself, and has to wait until we have its output and its exit. */
  readonly hold: boolean
  /** Give it our input. */
  readonly input: boolean
  /** Its 0, 1 and 2 are a terminal: ours is made raw, and it is told of its size. */
  readonly terminal: boolean
  readonly detachKeys: string | undefined
  /** What we are sent, it is sent. */
  readonly forwardSignals: boolean
  /** Nobody reads our output any more; without it we end, and the process does not. */
  readonly onReaderGone?: (client: TallyClient) => Promise<void>
  /** Asked right before the start, and handed over right after it. */
  readonly signals: SignalWatch
}

export type SessionEnd =
  | {readonly type: 'exited'; readonly exit: ProcessExit | undefined}
  | {readonly type: 'detached'}
  | {readonly type: 'reader-gone'}

/** @throws TallyError CONTAINER_NOT_FOUND, EXEC_NOT_FOUND when somebody has removed it meanwhile */
export async function runSession(client: TallyClient, session: SessionOptions): Promise<SessionEnd> {
  const {toProcess, terminal, onReaderGone} = session
  const offsets: {stdout: number | undefined; stderr: number | undefined} =
    session.from === 'beginning' ? {stdout: 0, stderr: 0} : {stdout: undefined, stderr: undefined}
  const detached = Promise.withResolvers<SessionEnd>()
  const readerGone = Promise.withResolvers<void>()
  let started = false
  using stack = new DisposableStack()
  // Before anything is drawn.
  if (terminal && session.input) stack.use(enterRawMode(globalThis.process.stdin))

  return await withReconnect(client, async (): Promise<SessionEnd> => {
    const {connection} = client
    const process = toProcess(client)
    await using hold = session.hold
      ? await holdOutput(process, got, () => client.connection === connection && !connection.isClosed())
      : undefined
    // Both listen before the program can write.
    using stdout = await follow(process, 'stdout', hold)
    using stderr = terminal ? undefined : await follow(process, 'stderr', hold)
    if (!started) {
      session.signals.check()
      await session.start(client)
      started = true
      handOverSignals()
      if (session.input || terminal) beginInput()
    }
    const ended = Promise.all([stdout.ended, stderr?.ended]).then(
      async () => ({type: 'exited', exit: (await process.wait()).exit}) as const,
    )
    const left = readerGone.promise.then(async () => {
      await onReaderGone?.(client)
      return {type: 'reader-gone'} as const
    })
    return await Promise.race([ended, detached.promise, left])
  })

  function got(): Got {
    return {stdout: offsets.stdout ?? 0, stderr: offsets.stderr ?? 0}
  }

  /** With a terminal it is the keys that are for the process; what comes otherwise ends us, as it would anybody. */
  function handOverSignals(): void {
    session.signals.handOver(createForwarder(() => toProcess(client), session.name))
    if (!session.forwardSignals || (terminal && session.input)) session.signals[Symbol.dispose]()
  }

  function beginInput(): void {
    const pump = stack.use(
      pumpInput({
        toTarget: () => ({client, process: toProcess(client)}),
        input: session.input,
        terminal,
        detachKeys: session.detachKeys,
      }),
    )
    pump.ended.then(
      (end: InputEnd) => {
        if (end === 'detached') detached.resolve({type: 'detached'})
      },
      (error: unknown) => detached.reject(error),
    )
  }

  async function follow(process: ProcessClient, stream: StreamName, hold: OutputHold | undefined) {
    offsets[stream] ??= (await process.output(stream, 0, {limitBytes: 1})).total
    return followOutput(client, process, {
      stream,
      offset: offsets[stream],
      onDropped: (count) => {
        printNote(`${count} bytes of ${stream} had been dropped from the log before they could be read`)
        offsets[stream] = (offsets[stream] ?? 0) + count
      },
      onBytes: async (bytes) => {
        await writeToFd(stream === 'stdout' ? 1 : 2, bytes, onReaderGone && readerGone.resolve).catch(async (error: unknown) => {
          await onReaderGone?.(client)
          throw error
        })
        offsets[stream] = (offsets[stream] ?? 0) + bytes.length
        hold?.tell()
      },
    })
  }
}

/** That of the process; 0 when we have parted from it. */
export function toSessionExitCode(end: SessionEnd, name: string): number {
  if (end.type === 'detached') {
    // Behind whatever it has drawn.
    if (process.stderr.isTTY) process.stderr.write('\r\n')
    printNote(`left ${name} running`)
    return exitCodes.ok
  }
  if (end.type === 'reader-gone') return exitCodes.ok
  const {exit} = end
  if (exit?.type === 'lost') printNote(`nobody can know how ${name} ended: ${exit.reason}`)
  return exit ? toExitStatus(exit) : exitCodes.runFailed
}
