import {copyFileSync} from 'node:fs'
import {join} from 'node:path'
import {isMissing} from '../../kernel/files.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'

/** Copies what the OCI runtime knows of a container to where it survives a run directory that is wiped. A copy that fails does no harm. */
export function copyRuntimeState(
  {runtimeRoot, runtimeState}: Pick<ContainerLayout, 'runtimeRoot' | 'runtimeState'>,
  id: string,
  logger: Logger,
): void {
  try {
    copyFileSync(join(runtimeRoot, id, 'state.json'), runtimeState)
  } catch (error) {
    // Of a checkpoint it is made later.
    if (!isMissing(error)) logger.warn({err: error}, 'cannot copy the state of the runtime')
  }
}
