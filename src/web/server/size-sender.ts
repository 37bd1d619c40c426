import type {ConsoleSize} from '../../../machines/schemas/fields.ts'

/** One at a time, and of those that come meanwhile only the last: a window that is drawn larger tells of every step. */
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
      // It may have ended, or NATS be away: the next size will do.
      await send(size).catch(() => {})
    }
    sending = false
  }
}
