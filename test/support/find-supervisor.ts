import {listProcesses} from '../../src/linux/process-table.ts'
import {readProcFile} from './leftovers.ts'
import type {TallyNode} from './tally-node.ts'

/** The process that supervises a container of this node, from the moment on in which it knows that it does. */
export function findSupervisor({dir}: Pick<TallyNode, 'dir'>, id: string): number | undefined {
  return listProcesses().find(
    (pid) =>
      readProcFile(`/proc/${pid}/cmdline`).replaceAll('\0', '').trim() === `tally-supervisor default/${id}` &&
      readProcFile(`/proc/${pid}/environ`).includes(dir),
  )
}
