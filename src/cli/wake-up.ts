/** Wakes a loop when there is something new. Several notifications before the loop looks again count as one. */
export interface WakeUp {
  /** There is something new. */
  notify(): void
  /** Nothing new will come. */
  end(): void
  /**
   * Resolves at the next notification; at once if one has come since the last call.
   * @param limitMs after which it resolves as if notified
   */
  next(limitMs?: number): Promise<'notified' | 'ended'>
}

type State =
  | {readonly type: 'quiet'}
  | {readonly type: 'notified'}
  | {readonly type: 'waiting'; readonly resolve: (what: 'notified' | 'ended') => void}
  | {readonly type: 'ended'}

/** There is something new from the beginning: the loop has not looked yet. */
export function createWakeUp(): WakeUp {
  let state: State = {type: 'notified'}

  return {
    notify: () => {
      if (state.type === 'waiting') resume('notified')
      else if (state.type === 'quiet') state = {type: 'notified'}
    },
    end: () => {
      if (state.type === 'waiting') resume('ended')
      state = {type: 'ended'}
    },
    next: async (limitMs) => {
      if (state.type === 'ended') return 'ended'
      if (state.type === 'notified') {
        state = {type: 'quiet'}
        return 'notified'
      }
      return await wait(limitMs)
    },
  }

  async function wait(limitMs: number | undefined): Promise<'notified' | 'ended'> {
    const {promise, resolve} = Promise.withResolvers<'notified' | 'ended'>()
    state = {type: 'waiting', resolve}
    const timer = limitMs === undefined ? undefined : setTimeout(() => resume('notified'), limitMs)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
    }
  }

  function resume(what: 'notified' | 'ended'): void {
    if (state.type !== 'waiting') return
    const {resolve} = state
    state = {type: 'quiet'}
    resolve(what)
  }
}
