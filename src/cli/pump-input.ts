/** Sends our input to a process; with a terminal on both sides also the size of ours. Watches for the keys that detach from the process. */
import {createInputSender, type ToTarget} from '../client/send-input.ts'
import {createSizeSender} from '../client/size-sender.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {createDetachScanner, defaultDetachKeys, parseDetachKeys} from './detach-keys.ts'
import {watchWindowSize} from './terminal.ts'

export interface PumpOptions {
  readonly toTarget: ToTarget
  readonly input: boolean
  readonly terminal: boolean
  readonly detachKeys: string | undefined
}

/** `closed`: the process reads no more input. */
export type InputEnd = 'eof' | 'detached' | 'closed'

export interface Pump extends Disposable {
  readonly ended: Promise<InputEnd>
}

const retryMs = 250

export function pumpInput({toTarget, input, terminal, detachKeys = defaultDetachKeys}: PumpOptions): Pump {
  const sender = createInputSender(toTarget, {isTyped: terminal})
  const {stdin, stdout} = process
  const stack = new DisposableStack()
  const scanner = createDetachScanner(terminal && stdin.isTTY ? parseDetachKeys(detachKeys) : new Uint8Array())
  let phase: 'sending' | 'disposed' = 'sending'
  if (terminal)
    stack.use(
      watchWindowSize(
        stdout,
        createSizeSender((size) => toTarget().process.resize(size)),
      ),
    )

  return {
    ended: input ? run() : Promise.resolve('eof'),
    [Symbol.dispose]: () => {
      phase = 'disposed'
      stack.dispose()
      if (input) stdin.destroy()
    },
  }

  async function run(): Promise<InputEnd> {
    try {
      for await (const chunk of stdin) {
        if (isDisposed()) return 'closed'
        const {forward, detached} = scanner.feed(chunk)
        if (forward.length > 0) await untilDelivered(() => sender.write(forward))
        if (detached) return 'detached'
      }
      await untilDelivered(() => toTarget().process.closeStdin())
      return 'eof'
    } catch (error) {
      // The process has ended, or reads no more: its exit says the rest.
      if (isDisposed() || isOver(error)) return 'closed'
      throw error
    }
  }

  function isDisposed(): boolean {
    return phase === 'disposed'
  }

  /** While there is no connection, the same bytes are sent again over the next one. */
  async function untilDelivered(send: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await send()
        return
      } catch (error) {
        if (isDisposed() || !(error instanceof TallyError && error.code === 'NATS_UNREACHABLE')) throw error
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
  }
}

function isOver(error: unknown): boolean {
  return ['STDIN_CLOSED', 'CONTAINER_NOT_FOUND', 'EXEC_NOT_FOUND', 'ILLEGAL_COMMAND', 'PROCESS_ENDED'].includes(toErrorBody(error).code)
}
