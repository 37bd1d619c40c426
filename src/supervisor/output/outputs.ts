/** The 0, 1 and 2 of a container's processes: of its init, and of those that were added. */
import type {Output} from './output.ts'

export interface Outputs {
  /** @param exec the id of an added process; init when absent */
  of(exec?: string): Output
  /** No reader has a lease on any of them. */
  whenReleased(): Promise<void>
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
    whenReleased: async () => void (await Promise.all([init, ...added.values()].map((output) => output.lease.whenReleased()))),
    forget: (exec) => void added.delete(exec),
  }
}
