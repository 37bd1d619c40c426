import type {ProcessExit} from '../../machines/ledger/process-exit.ts'
import {toSignalNumber} from '../../machines/schemas/signals.ts'
import type {ErrorCode} from '../kernel/errors.ts'

/** What `tally` exits with. `run` in the foreground exits with the container's own status instead, as docker does. */
export const exitCodes = {
  ok: 0,
  /** Something was refused or failed; the message says what. */
  failed: 1,
  /** Usage error: unknown option, missing argument, unusable value. */
  usage: 2,
  /** `run`: Tallyman failed, not the container; or its exit status is lost. */
  runFailed: 125,
  /** `run`: the command exists but cannot be executed. */
  commandNotExecutable: 126,
  /** `run`: the command does not exist. */
  commandNotFound: 127,
} as const

/** As in a shell: the exit code, or 128 + n for signal n. */
export function toExitStatus(exit: ProcessExit): number {
  switch (exit.type) {
    case 'code':
      return exit.code
    case 'signal':
      return 128 + toSignalNumber(exit.signal)
    case 'lost':
      return exitCodes.runFailed
  }
}

export function toExitCode(code: ErrorCode): number {
  return code === 'INVALID_ARGUMENT' ? exitCodes.usage : exitCodes.failed
}

export function toRunExitCode(code: ErrorCode): number {
  if (code === 'COMMAND_NOT_FOUND') return exitCodes.commandNotFound
  if (code === 'COMMAND_NOT_EXECUTABLE') return exitCodes.commandNotExecutable
  return exitCodes.runFailed
}
