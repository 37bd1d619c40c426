/** In the foreground with a process, as if it had been started here: its output, its input, its signals, and how it ends. */
import type {ProcessClient, TallyClient} from '../client/client.ts'
import {holdOutput} from '../client/hold-output.ts'
import {createNamedReader} from '../client/watched.ts'
import type {ProcessExit} from '../../machines/ledger/process-exit.ts'
import {exitCodes, toExitStatus} from './exit-codes.ts'
import {createForwarder} from './forward-signals.ts'
import {type InputEnd, pumpInput} from './pump-input.ts'
import {printNote} from './print.ts'
import {withReconnect} from './reconnect.ts'
import {createSessionOutput} from './session-output.ts'
import {enterRawMode} from './terminal.ts'
import type {SignalWatch} from './watch-signals.ts'

export interface SessionOptions {
  /** The process, by whichever client is connected. */
  readonly toProcess: (client: TallyClient) => ProcessClient
  /** Its name in messages. */
  readonly name: string
  /** Called when its output is followed already, and again if the connection was lost before the answer came. */
  readonly start: (client: TallyClient) => Promise<void>
  /** Its output from the first byte, or only what comes from now on. */
  readonly from: 'beginning' | 'now'
  /**
   * With a lease, a process that removes itself waits until we have its output and its exit, for half a minute if we are killed. Without it
   * the process waits for 10 s at most.
   */
  readonly hold: boolean
  /** Send it our input. */
  readonly input: boolean
  /** Its 0, 1 and 2 are a terminal: ours is set to raw mode, and its size is sent. */
  readonly terminal: boolean
  readonly detachKeys: string | undefined
  /** Signals that we receive are sent to it. */
  readonly forwardSignals: boolean
  /** Called when nobody reads our output any more. Without it we end, and the process does not. */
  readonly onReaderGone?: (client: TallyClient) => Promise<void>
  /** Checked right before the start, and handed over right after it. */
  readonly signals: SignalWatch
}

export type SessionEnd =
  | {readonly type: 'exited'; readonly exit: ProcessExit | undefined}
  | {readonly type: 'detached'}
  | {readonly type: 'reader-gone'}

/** @throws TallyError CONTAINER_NOT_FOUND, EXEC_NOT_FOUND when it was removed meanwhile */
export async function runSession(client: TallyClient, session: SessionOptions): Promise<SessionEnd> {
  const {toProcess, terminal, onReaderGone} = session
  const reader = session.hold ? undefined : createNamedReader()
  const output = createSessionOutput({from: session.from, reader, onReaderGone: onReaderGone && (() => onReaderGone(client))})
  const detached = Promise.withResolvers<SessionEnd>()
  let phase: 'not started' | 'started' = 'not started'
  using stack = new DisposableStack()
  // Before the process draws anything.
  if (terminal && session.input) stack.use(enterRawMode(globalThis.process.stdin))

  return await withReconnect(client, async (): Promise<SessionEnd> => {
    const {connection} = client
    const process = toProcess(client)
    await using hold = session.hold
      ? await holdOutput(process, output.got, () => client.connection === connection && !connection.isClosed())
      : undefined
    // Both are subscribed before the program can write.
    using stdout = await output.follow(client, process, 'stdout', hold)
    using stderr = terminal ? undefined : await output.follow(client, process, 'stderr', hold)
    if (phase === 'not started') {
      session.signals.check()
      await session.start(client)
      phase = 'started'
      handOverSignals()
      if (session.input || terminal) beginInput()
    }
    const ended = Promise.all([stdout.ended, stderr?.ended]).then(
      async () => ({type: 'exited', exit: (await process.wait()).exit}) as const,
    )
    const left = output.readerGone.then(async () => {
      await onReaderGone?.(client)
      return {type: 'reader-gone'} as const
    })
    const end = await Promise.race([ended, detached.promise, left])
    if (reader) {
      // They would ask again.
      for (const follower of [stdout, stderr]) follower?.[Symbol.dispose]()
      await reader.letGo(process)
    }
    return end
  })

  /** With a terminal the keys are for the process; a signal that comes otherwise ends us, as it ends any program. */
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
}

/** That of the process; 0 when we have detached from it. */
export function toSessionExitCode(end: SessionEnd, name: string): number {
  if (end.type === 'detached') {
    // Below what the process has drawn.
    if (process.stderr.isTTY) process.stderr.write('\r\n')
    printNote(`left ${name} running`)
    return exitCodes.ok
  }
  if (end.type === 'reader-gone') return exitCodes.ok
  const {exit} = end
  if (exit?.type === 'lost') printNote(`nobody can know how ${name} ended: ${exit.reason}`)
  return exit ? toExitStatus(exit) : exitCodes.runFailed
}
