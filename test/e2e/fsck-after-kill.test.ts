/** A node of which every process was killed at once, and whose containers have lost their files on top of that. */
import {existsSync, readdirSync, rmSync, utimesSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import type {FsckReport} from '../../src/fsck/main.ts'
import {findCgroups} from '../../src/linux/cgroup.ts'
import {listMountsBelow} from '../../src/linux/mount.ts'
import {isAlive, readProcessIdentity} from '../../src/linux/process-table.ts'
import {findShim, findSupervisor} from '../support/find-supervisor.ts'
import {killNode} from '../support/kill-node.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode} from '../support/tally-node.ts'

it('groups, mounts and directories of a container that is in no ledger are found and removed, and the others are adopted', async () => {
  await using node = await startNode()
  const ids = ['lives', 'stops', 'lost']
  for (const id of ids)
    expect(await node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, '--', 'sleep', '1000')).toMatchObject({exitCode: 0})
  const fsck = async (...args: readonly string[]): Promise<FsckReport> => JSON.parse((await node.tally('fsck', '--json', ...args)).stdout)
  const codes = ({findings}: FsckReport) => findings.map(({code, container}) => `${code} ${container}`).sort()
  const {uid, pid = 0} = await node.json<ContainerView>('inspect', 'lost')
  const init = readProcessIdentity(pid)
  if (!init) throw new Error('the container has no init')
  const info = await node.info()
  killNode(info)
  // Their supervisors, which may sleep, end with them.
  for (const id of ids) sendSignal(findShim(node, id), 'SIGKILL')
  await eventually('all have ended', () => ids.every((id) => findSupervisor(node, id) === undefined))
  const missing = ids.map((id) => `SUPERVISOR_MISSING default/${id}`).sort()
  expect(codes(await fsck())).toEqual(missing)

  // Whatever removed its files did not get past the mount.
  const stateDir = join(node.stateDir, 'containers/default/lost')
  for (const entry of readdirSync(stateDir)) if (entry !== 'rootfs') rmSync(join(stateDir, entry), {recursive: true})
  const minuteAgo = Date.now() / 1_000 - 60
  utimesSync(stateDir, minuteAgo, minuteAgo)
  const group = `/tally-default-lost-${uid.slice(0, 8)}`
  expect([findCgroups(group).length > 0, listMountsBelow(stateDir).length]).toEqual([true, 1])
  // With the runtime's container its groups go as well.
  const lost = ['JOURNAL_MISSING', 'MOUNT_ORPHAN', 'PROCESS_ORPHAN', 'RUNTIME_ORPHAN', 'RUN_DIR_ORPHAN']
  const others = missing.filter((one) => !one.endsWith('/lost'))
  const expected = [...lost.map((code) => `${code} default/lost`), ...others].sort()
  expect(codes(await fsck())).toEqual(expected)
  const repaired = await fsck('--repair')
  expect(codes(repaired)).toEqual(expected)
  const left = ['PROCESS_ORPHAN', 'SUPERVISOR_MISSING']
  expect(repaired.findings.filter((one) => !one.repaired && !left.includes(one.code))).toEqual([])

  expect([findCgroups(group), listMountsBelow(stateDir), isAlive(init)]).toEqual([[], [], false])
  const places = [stateDir, join(node.runDir, 'containers/default/lost'), join(node.runDir, 'runc/default/lost')]
  expect(places.filter((path) => existsSync(path))).toEqual([])
  expect(codes(await fsck())).toEqual(['STREAM_ORPHAN default/lost', ...others].sort())
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0, stderr: ''})
  for (const id of ['lives', 'stops']) await eventually('it is adopted', async () => (await node.tally('inspect', id)).exitCode === 0)
  expect(await node.tally('run', '-d', '--name', 'lost', '--rootfs', node.rootfs, '--', 'sleep', '1000')).toMatchObject({exitCode: 0})
})
