/** The files into which processes of this node write diagnostics, kept from growing for ever. */
import {copyFileSync, statSync, truncateSync} from 'node:fs'
import type {Logger} from '../../kernel/log.ts'

/**
 * Moves to `<file>.1`, which it replaces, what is in a file that has grown larger. Whoever has the file open goes on writing at its
 * new end, since all open it to append; a line that is written in this very moment is gone.
 */
export function rotateDiagnostics(files: readonly string[], mostBytes: number, logger: Logger): void {
  for (const file of files) {
    try {
      if ((statSync(file, {throwIfNoEntry: false})?.size ?? 0) <= mostBytes) continue
      copyFileSync(file, `${file}.1`)
      truncateSync(file)
    } catch (error) {
      logger.warn({err: error, file}, 'cannot make room in this file')
    }
  }
}
