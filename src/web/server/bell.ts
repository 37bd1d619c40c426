/** Wakes who waits for something to happen. */
export interface Bell {
  ring(): void
  /** How often it has rung: who has looked since the last ring has missed none. */
  readonly rings: number
  /** Resolves with the next ring, when the signal ends, or after the time. */
  wait(signal: AbortSignal, timeoutMs: number): Promise<void>
}

export function createBell(): Bell {
  const waiting = new Set<() => void>()
  let rings = 0
  return {
    get rings() {
      return rings
    },
    ring: () => {
      rings += 1
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
