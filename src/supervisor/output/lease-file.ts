/**
 * Until when a reader has a lease on the output of a process, where the next supervisor finds it: that was promised to the reader, and one
 * that has let go must not be waited for again.
 */
import {readFileSync, renameSync, writeFileSync} from 'node:fs'

export interface LeaseFile {
  /** In milliseconds since the boot of the host; undefined when there is no lease. */
  read(): number | undefined
  /** @param untilMs undefined for none */
  write(untilMs: number | undefined): void
}

/** In the run directory of the process, which this does not make: before it exists, and after, there is nothing to remember. */
export function createLeaseFile(path: string): LeaseFile {
  return {
    read: () => {
      try {
        const untilMs = Number(readFileSync(path, 'utf8'))
        return Number.isFinite(untilMs) && untilMs > 0 ? untilMs : undefined
      } catch {
        return undefined
      }
    },
    write: (untilMs) => {
      const next = `${path}.new`
      try {
        writeFileSync(next, String(untilMs ?? 0), {mode: 0o600})
        // Replaced in one step: half of a number would be another number.
        renameSync(next, path)
      } catch {
        // The disk is full, or the directory is not there: the lease is good for as long as this supervisor lives.
      }
    },
  }
}
