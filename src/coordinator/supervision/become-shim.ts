import {accessSync, constants} from 'node:fs'
import type {Logger} from '../../kernel/log.ts'
import {toShimCommand} from '../../shim/client/coordinator-command.ts'

/**
 * When the shim was killed: this process becomes another one, with execve(2), and starts the coordinator again. It keeps its pid and its
 * children: what falls to a coordinator falls to the same process after that. Returns when there is no such program any more.
 */
export function becomeShim(dist: string, logger: Logger): void {
  const node = [process.execPath, ...process.execArgv]
  const command = toShimCommand(dist, node)
  try {
    accessSync(command[0], constants.X_OK)
  } catch (error) {
    logger.error({err: error}, 'the shim of this coordinator was killed, and there is no program to replace it: nobody starts it again')
    return
  }
  logger.error('the shim of this coordinator was killed: another takes its place')
  process.execve?.(command[0], command, process.env)
}
