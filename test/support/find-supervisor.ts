import {listProcesses} from '../../src/linux/process-table.ts'
import {readProcFile} from './proc.ts'
import type {TallyNode} from './tally-node.ts'

/** The process that supervises a container of this node, from the moment on in which it knows that it does. */
export function findSupervisor(node: Pick<TallyNode, 'dir'>, id: string): number | undefined {
  return findTitle(node, `tally-supervisor default/${id}`)
}

/** The shim of a container of this node. */
export function findShim(node: Pick<TallyNode, 'dir'>, id: string): number | undefined {
  return findTitle(node, `tally-shim default/${id}`)
}

/** The process that is to supervise the next container of this node. */
export function findReadySupervisor(node: Pick<TallyNode, 'dir'>): number | undefined {
  return findTitle(node, 'tally-supervisor (ready)')
}

function findTitle({dir}: Pick<TallyNode, 'dir'>, title: string): number | undefined {
  return listProcesses().find(
    (pid) =>
      readProcFile(`/proc/${pid}/cmdline`).replaceAll('\0', '').trim() === title && readProcFile(`/proc/${pid}/environ`).includes(dir),
  )
}
