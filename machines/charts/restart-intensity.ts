/** How often the supervisor of a container is replaced: too often would be a loop that nobody sees and that burns the machine. */

export interface RestartIntensity {
  /** Replacements within the period; the next one is refused. */
  readonly most: number
  readonly periodMs: number
  /** Between the first replacement and the second, and doubled for each that follows. The first replacement comes at once. */
  readonly delayMs: number
}

export const usualRestartIntensity: RestartIntensity = {most: 10, periodMs: 60_000, delayMs: 20}

export type Replacement = {readonly type: 'now'} | {readonly type: 'later'; readonly atMs: number} | {readonly type: 'never'}

/**
 * Whether a container may get another supervisor.
 * @param former when it got others, oldest first, in milliseconds of a clock that nobody sets
 */
export function decideReplacement(
  former: readonly number[],
  nowMs: number,
  {most, periodMs, delayMs}: RestartIntensity = usualRestartIntensity,
): Replacement {
  const recent = selectRecent(former, nowMs, periodMs)
  if (recent.length >= most) return {type: 'never'}
  const latest = recent.at(-1)
  if (latest === undefined) return {type: 'now'}
  const atMs = latest + delayMs * 2 ** (recent.length - 1)
  return nowMs < atMs ? {type: 'later', atMs} : {type: 'now'}
}

/** Replacements that still count. */
export function selectRecent(former: readonly number[], nowMs: number, periodMs = usualRestartIntensity.periodMs): readonly number[] {
  return former.filter((atMs) => atMs > nowMs - periodMs)
}
