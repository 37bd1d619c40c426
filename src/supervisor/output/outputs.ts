/** The 0, 1 and 2 of a container's processes: of its init, and of those that were added. */
import type {Output} from './output.ts'

export interface Outputs {
  /** @param exec the id of an added process; init when absent */
  of(exec?: string): Output
  /** Resolves when no reader has a lease on that of any process, or on that of an added one alone, and none with a name follows it. */
  whenReleased(exec?: string): Promise<void>
  /**
   * When the last lease runs out that a reader or a subscriber has on any of them, in milliseconds of `Clock.elapsed`; undefined when nobody
   * is attached.
   */
  attendedUntilMs(): number | undefined
  /** The process has been deleted. */
  forget(exec: string): void
}

export function createOutputs(create: (exec: string | undefined) => Output): Outputs {
  const init = create(undefined)
  const added = new Map<string, Output>()
  return {
    of,
    whenReleased: async (exec) => {
      const outputs = exec === undefined ? all() : [of(exec)]
      await Promise.all(outputs.flatMap(({lease, interest}) => [lease.whenReleased(), interest.whenReleased()]))
    },
    attendedUntilMs: () => {
      const ends = all().flatMap(({lease, interest}) => [lease.untilMs(), interest.untilMs()].filter((endMs) => endMs !== undefined))
      return ends.length === 0 ? undefined : Math.max(...ends)
    },
    forget: (exec) => void added.delete(exec),
  }

  function of(exec?: string): Output {
    if (exec === undefined) return init
    const output = added.get(exec) ?? create(exec)
    added.set(exec, output)
    return output
  }

  function all(): readonly Output[] {
    return [init, ...added.values()]
  }
}
