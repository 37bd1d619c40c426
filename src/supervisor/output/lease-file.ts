/**
 * Until when a reader holds a process that removes itself, where the next supervisor finds it: the reader has been promised that, and one
 * who has let go must not be waited for again.
 */
import {readFileSync, renameSync, writeFileSync} from 'node:fs'

export interface HoldRecord {
  /** Milliseconds since the boot of the host; 0 when nobody does. */
  read(): number
  write(untilMs: number): void
}

/** In the run directory of the process, which is not made for this: before it is there, and after, nobody has to know. */
export function createHoldFile(path: string): HoldRecord {
  return {
    read: () => {
      try {
        return Number(readFileSync(path, 'utf8'))
      } catch {
        return 0
      }
    },
    write: (untilMs) => {
      const next = `${path}.new`
      try {
        writeFileSync(next, String(untilMs), {mode: 0o600})
        // At once: half a number would be another.
        renameSync(next, path)
      } catch {
        // A full disk, or no directory: it is held all the same, as long as this supervisor lives.
      }
    },
  }
}
