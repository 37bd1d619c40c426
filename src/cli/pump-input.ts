/** Our input on its way to a process; with a terminal on both sides also the size of ours, and the keys that part us from it. */
import type {ToTarget} from '../client/send-input.ts'
import {createInputSender} from '../client/send-input.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'

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

export function pumpInput({toTarget, input}: PumpOptions): Pump {
  const sender = createInputSender(toTarget)
  let disposed = false
  const {stdin} = process

  return {
    ended: input ? run() : Promise.resolve('eof'),
    [Symbol.dispose]: () => {
      disposed = true
      stdin.destroy()
    },
  }

  async function run(): Promise<InputEnd> {
    try {
      for await (const chunk of stdin) {
        if (disposed) return 'closed'
        await untilDelivered(() => sender.write(Buffer.from(chunk)))
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

function isOver(error: unknown): boolean {
  return ['STDIN_CLOSED', 'CONTAINER_NOT_FOUND', 'EXEC_NOT_FOUND', 'ILLEGAL_COMMAND', 'PROCESS_ENDED'].includes(toErrorBody(error).code)
}
