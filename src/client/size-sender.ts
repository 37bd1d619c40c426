import type {ConsoleSize} from '../../machines/schemas/fields.ts'

type Sending =
  | {readonly type: 'idle'}
  | {readonly type: 'sending'}
  /** Another size has come meanwhile: of several only the last is sent. */
  | {readonly type: 'sending, more to come'; readonly next: ConsoleSize}

/** Sends one size at a time: a window that is being resized reports every step. */
export function createSizeSender(send: (size: ConsoleSize) => Promise<unknown>): (size: ConsoleSize) => void {
  let sending: Sending = {type: 'idle'}
  return (size) => {
    if (sending.type === 'idle') begin(size)
    else sending = {type: 'sending, more to come', next: size}
  }

  function begin(size: ConsoleSize): void {
    sending = {type: 'sending'}
    // The process may have ended, or NATS cannot be reached: the next size is sent again.
    send(size).then(finish, finish)
  }

  function finish(): void {
    if (sending.type === 'sending, more to come') begin(sending.next)
    else sending = {type: 'idle'}
  }
}
