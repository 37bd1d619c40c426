/** Our input on its way to a process; with a terminal on both sides also the size of ours, and the keys that part us from it. */
import type {ConsoleSize} from '../../machines/schemas/fields.ts'
import {createInputSender, type ToTarget} from '../client/send-input.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {createDetachScanner, defaultDetachKeys, parseDetachKeys} from './detach-keys.ts'
import {watchWindowSize} from './terminal.ts'

export interface PumpOptions {
  readonly toTarget: ToTarget
  readonly input: boolean
  readonly terminal: boolean
  readonly detachKeys: string | undefined
}

/** `closed`: the process reads no more of it. */
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
  let disposed = false
  if (terminal) stack.use(watchWindowSize(stdout, createSizeSender(toTarget)))

  return {
    ended: input ? run() : Promise.resolve('eof'),
    [Symbol.dispose]: () => {
      disposed = true
      stack.dispose()
      if (input) stdin.destroy()
    },
  }

  async function run(): Promise<InputEnd> {
    try {
      for await (const chunk of stdin) {
        if (disposed) return 'closed'
        const {forward, detached} = scanner.feed(chunk)
        if (forward.length > 0) await untilDelivered(() => sender.write(forward))
        if (detached) return 'detached'
      }
      await untilDelivered(() => toTarget().process.closeStdin())
      return 'eof'
    } catch (error) {
      // It has ended, or reads no more: its exit says the rest.
      if (disposed || isOver(error)) return 'closed'
      throw error
    }
  }

  /** While the connection is away, the very same is sent again on the next. */
  async function untilDelivered(send: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await send()
        return
      } catch (error) {
        if (disposed || !(error instanceof TallyError && error.code === 'NATS_UNREACHABLE')) throw error
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
  }
}

/** One at a time, and of those that come meanwhile only the last: a window that is drawn larger tells of every step. */
function createSizeSender(toTarget: ToTarget): (size: ConsoleSize) => void {
  let wanted: ConsoleSize | undefined
  let sending = false

  return (size) => {
    wanted = size
    if (!sending) void send()
  }

  async function send(): Promise<void> {
    sending = true
    while (wanted) {
      const size = wanted
      wanted = undefined
      // It may have ended, or NATS be away: the next size will do.
      await toTarget()
        .process.resize(size)
        .catch(() => {})
    }
    sending = false
  }
}

function isOver(error: unknown): boolean {
  return ['STDIN_CLOSED', 'CONTAINER_NOT_FOUND', 'EXEC_NOT_FOUND', 'ILLEGAL_COMMAND', 'PROCESS_ENDED'].includes(toErrorBody(error).code)
}
