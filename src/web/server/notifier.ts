/** Wakes everybody who waits for something to happen. */
export interface Notifier {
  notify(): void
  /** How often it was called: a reader that compares it before and after a look has missed nothing. */
  readonly count: number
  /** Resolves with the next notification, when the signal aborts, or after the time. */
  wait(signal: AbortSignal, timeoutMs: number): Promise<void>
}

export function createNotifier(): Notifier {
  const waiting = new Set<() => void>()
  let count = 0
  return {
    get count() {
      return count
    },
    notify: () => {
      count += 1
      for (const wake of waiting) wake()
    },
    wait: (signal, timeoutMs) =>
      new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', wake)
          waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, timeoutMs)
        signal.addEventListener('abort', wake)
        waiting.add(wake)
        if (signal.aborted) wake()
      }),
  }
}
