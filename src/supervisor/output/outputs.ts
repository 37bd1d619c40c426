/** The 0, 1 and 2 of a container's processes: of its init, and of those that were added. */
import type {Output} from './output.ts'

export interface Outputs {
  /** @param exec the id of an added process; init when absent */
  of(exec?: string): Output
  /** No reader has a lease on any of them. */
  whenReleased(): Promise<void>
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
    of: (exec) => {
      if (exec === undefined) return init
      const output = added.get(exec) ?? create(exec)
      added.set(exec, output)
      return output
    },
    whenReleased: async () => void (await Promise.all(all().map((output) => output.lease.whenReleased()))),
    attendedUntilMs: () => {
      const ends = all().flatMap(({lease, interest}) => [lease.untilMs(), interest.untilMs()].filter((endMs) => endMs !== undefined))
      return ends.length === 0 ? undefined : Math.max(...ends)
    },
    forget: (exec) => void added.delete(exec),
  }

  function all(): readonly Output[] {
    return [init, ...added.values()]
  }
}
