/** Whether the supervisors of a node's containers sleep, as their shims say. */
import {join} from 'node:path'
import {expect} from 'vitest'
import {connectShimControl, type ShimStatus} from '../../src/shim/client/control.ts'
import {findSupervisor} from './find-supervisor.ts'
import {eventually, type TallyNode} from './tally-node.ts'

export function createSleepWatch(node: TallyNode) {
  const status = async (id: string): Promise<ShimStatus | undefined> => {
    try {
      using control = await connectShimControl(join(node.runDir, 'containers/default', id, 'shim.sock'))
      return await control.status()
    } catch {
      return undefined
    }
  }
  return {
    /** Undefined when there is no shim. */
    status,
    fallsAsleep: (id: string) => eventually(`${id} to fall asleep`, async () => (await status(id))?.phase === 'asleep'),
    comesToRest: (id: string) =>
      eventually(`no process of ${id}`, async () => (await status(id)) === undefined && findSupervisor(node, id) === undefined),
    run: async (id: string, flags: readonly string[], ...command: readonly string[]) => {
      const {exitCode, stderr} = await node.tally('run', '-d', '--name', id, ...flags, '--rootfs', node.rootfs, '--', ...command)
      expect({exitCode, stderr}).toEqual({exitCode: 0, stderr: ''})
    },
  }
}
