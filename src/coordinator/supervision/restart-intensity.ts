/** How often a supervisor may be replaced: again and again would be a loop that nobody sees, and burns the machine. */
import type {Clock} from '../../kernel/clock.ts'

export interface RestartIntensity {
  /** Whether the container may get another supervisor: not yet, when it has just got one, and never again after too many. */
  ask(container: string): 'now' | 'later' | 'never'
}

export interface RestartIntensityOptions {
  /** So many replacements within the period, and no more. */
  readonly most: number
  readonly periodMs: number
  /** Before the second, doubled for each that follows; the first comes at once. */
  readonly delayMs: number
}

export function createRestartIntensity(
  clock: Pick<Clock, 'elapsed'>,
  {most, periodMs, delayMs}: RestartIntensityOptions,
): RestartIntensity {
  const replacements = new Map<string, readonly number[]>()

  return {
    ask: (container) => {
      const now = clock.elapsed()
      const recent = (replacements.get(container) ?? []).filter((at) => at > now - periodMs)
      if (recent.length >= most) return 'never'
      const latest = recent.at(-1)
      if (latest !== undefined && now < latest + delayMs * 2 ** (recent.length - 1)) return 'later'
      replacements.set(container, [...recent, now])
      return 'now'
    },
  }
}
