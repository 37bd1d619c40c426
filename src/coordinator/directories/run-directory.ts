/** The run directory as a whole: put back when somebody has wiped it, removed when nobody needs it any more. */
import {rmSync} from 'node:fs'
import {join} from 'node:path'
import {removeIfEmpty} from '../../kernel/files.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {Directories} from '../../layout/container-layout.ts'
import type {ConnectionFile} from './connection-file.ts'
import {listContainers} from './containers.ts'
import {claimDirectory} from './directories.ts'
import {restoreContainers} from './restore-run-dir.ts'
import {restoreShimSockets} from './restore-shim-sockets.ts'

/**
 * The connection file is what says that the run directory is whole, since it is written last: a coordinator that is killed while it puts
 * the directory back leaves none, and the next one begins again.
 */
export interface RestoreDependencies {
  readonly connectionFile: Pick<ConnectionFile, 'exists' | 'write'>
  readonly clock: Pick<Clock, 'sleep'>
  /** Makes the socket of this coordinator's parent again. */
  readonly listen: () => Promise<void>
  readonly logger: Logger
}

/** When a coordinator starts, before it writes the connection file. */
export async function restoreAtStart(
  directories: Directories,
  {connectionFile, clock, logger}: Omit<RestoreDependencies, 'listen'>,
): Promise<void> {
  restoreContainers(directories, connectionFile.exists() ? 'absent' : 'all', logger)
  await restoreShimSockets(directories, clock)
}

/** While a coordinator runs. Does nothing as long as the connection file is there. */
export async function restoreIfWiped(
  directories: Directories,
  {connectionFile, listen, clock, logger}: RestoreDependencies,
): Promise<void> {
  if (connectionFile.exists()) return
  const {runDir} = directories
  try {
    claimDirectory(runDir)
    restoreContainers(directories, 'all', logger)
    await restoreShimSockets(directories, clock)
    await listen()
    await connectionFile.write()
    logger.error({runDir}, 'the run directory had been wiped: what could be put back is there again')
  } catch (error) {
    logger.error({err: error, runDir}, 'the run directory has been wiped, and cannot be put back')
  }
}

/** Removes what the coordinator has made there, unless there is a container, whose supervisor needs it. */
export function removeUnusedRunDirectory(directories: Directories): void {
  if (listContainers(directories).length > 0) return
  const {runDir} = directories
  for (const entry of ['connection.json', 'node.sock', 'open-page.html', 'runc', 'containers', 'code-cache'])
    rmSync(join(runDir, entry), {recursive: true, force: true})
  removeIfEmpty(runDir)
}
