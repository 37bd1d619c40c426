/** The files into which the processes of this node write diagnostics, kept from growing without limit. */
import {copyFileSync, statSync, truncateSync} from 'node:fs'
import {join} from 'node:path'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'

/** Of each file, and of the one that its rotation replaces. */
const mostBytes = 16 * 1024 * 1024
const lookMs = 60_000

export interface DiagnosticsOptions {
  readonly stateDir: string
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
  /** Aborted when the coordinator ends. */
  readonly signal: AbortSignal
}

export async function keepDiagnosticsSmall({stateDir, clock, logger, signal}: DiagnosticsOptions): Promise<void> {
  const files = ['coordinator.log', 'supervisors.log'].map((name) => join(stateDir, name))
  for (; !signal.aborted; await clock.sleep(lookMs)) rotateDiagnostics(files, mostBytes, logger)
}

/**
 * Moves the content of a file that has grown larger to `<file>.1`, which it replaces. Processes that have the file open go on at its new
 * end, since all open it to append. A line that is written at this very moment is lost.
 */
export function rotateDiagnostics(files: readonly string[], mostBytes: number, logger: Logger): void {
  for (const file of files) {
    try {
      if ((statSync(file, {throwIfNoEntry: false})?.size ?? 0) <= mostBytes) continue
      copyFileSync(file, `${file}.1`)
      truncateSync(file)
    } catch (error) {
      logger.warn({err: error, file}, 'cannot rotate this file')
    }
  }
}
