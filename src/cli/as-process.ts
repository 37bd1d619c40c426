/** Verbs that exit with the status of a process, and with 125 to 127 when Tallyman has failed. */
import type {Command} from 'commander'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import {toRunExitCode} from './exit-codes.ts'
import {wantsJson} from './node-options.ts'
import {printError} from './print.ts'
import {toSignalExit} from './watch-signals.ts'

/** @param work resolves to the exit code */
export async function exitAsProcess(command: Command, work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work()
  } catch (error) {
    const body = toErrorBody(error)
    printError(body, {json: wantsJson(command)})
    process.exitCode = toSignalExit(body) ?? toRunExitCode(body.code)
  }
}

/**
 * The command to run, which may follow a `--` after the container.
 * @throws TallyError INVALID_ARGUMENT
 */
export function toProgram(args: readonly string[]): readonly string[] {
  const program = args[0] === '--' ? args.slice(1) : args
  if (program.length === 0) throw new TallyError('INVALID_ARGUMENT', 'expected a command after --')
  return program
}
