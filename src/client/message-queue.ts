/** What a subscription has brought and its reader has not taken yet. MUST hold: a slow reader costs little memory; achieved by dropping. */
import type {Msg} from 'nats'

export interface MessageQueue {
  /** It is dropped when too much waits already. */
  push(message: Msg): void
  /** No more will come; what waits can still be taken. */
  end(): void
  /** The reader takes no more. */
  dispose(): void
  /**
   * The oldest message, or why there is none. One call at a time.
   * @param patienceMs for how long to wait for one
   */
  next(patienceMs: number): Promise<Heard>
  readonly isDisposed: boolean
}

export type Heard =
  | {readonly type: 'message'; readonly message: Msg}
  | {readonly type: 'silence'}
  | {readonly type: 'ended'}
  | {readonly type: 'disposed'}

type State =
  | {readonly type: 'open'}
  /** The reader waits for a message. */
  | {readonly type: 'awaited'; readonly resume: () => void}
  | {readonly type: 'ended'}
  | {readonly type: 'disposed'}

/** @param mostBytes how much may wait, in payloads */
export function createMessageQueue(mostBytes: number): MessageQueue {
  const messages: Msg[] = []
  let waitingBytes = 0
  let state: State = {type: 'open'}

  return {
    push: (message) => {
      if (waitingBytes > mostBytes || state.type === 'disposed') return
      messages.push(message)
      waitingBytes += message.data.length
      resume()
    },
    end: () => close('ended'),
    dispose: () => close('disposed'),
    next: async (patienceMs) => {
      const present = look()
      if (present) return present
      await change(patienceMs)
      return look() ?? {type: 'silence'}
    },
    get isDisposed() {
      return state.type === 'disposed'
    },
  }

  /** @returns undefined when the reader has to wait */
  function look(): Heard | undefined {
    if (state.type === 'disposed') return state
    const message = messages.shift()
    if (message) waitingBytes -= message.data.length
    if (message) return {type: 'message', message}
    return state.type === 'ended' ? state : undefined
  }

  async function change(patienceMs: number): Promise<void> {
    const {promise, resolve} = Promise.withResolvers<void>()
    state = {type: 'awaited', resume: resolve}
    const timer = setTimeout(resume, patienceMs)
    await promise
    clearTimeout(timer)
  }

  function resume(): void {
    if (state.type !== 'awaited') return
    const {resume: proceed} = state
    state = {type: 'open'}
    proceed()
  }

  function close(type: 'ended' | 'disposed'): void {
    resume()
    if (state.type !== 'disposed') state = {type}
  }
}
