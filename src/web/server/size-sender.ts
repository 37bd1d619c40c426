import type {ConsoleSize} from '../../../machines/schemas/fields.ts'

/** Sends one size at a time, and of those that come meanwhile only the last: a window that is being resized reports every step. */
export function createSizeSender(send: (size: ConsoleSize) => Promise<unknown>): (size: ConsoleSize) => void {
  let wanted: ConsoleSize | undefined
  let sending = false

  return (size) => {
    wanted = size
    if (!sending) void run()
  }

  async function run(): Promise<void> {
    sending = true
    while (wanted) {
      const size = wanted
      wanted = undefined
      // The process may have ended, or NATS cannot be reached: the next size is sent again.
      await send(size).catch(() => {})
    }
    sending = false
  }
}
