import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/view.ts'
import {eventually, startNode} from '../support/tally-node.ts'

it('a container whose supervisors die again and again is left alone, which its ledger says, until the node is started again', async () => {
  await using node = await startNode()
  await node.tally('run', '-d', '--name', 'cursed', '--rootfs', node.rootfs, '--', 'sleep', '600')
  const happened = async (type: string) => (await node.events('cursed')).filter((event) => event.type === type)
  let killed = 0
  await eventually(
    'it is given up',
    async () => {
      const {stdout} = await node.tally('inspect', 'cursed')
      const pid = stdout === '' ? undefined : (JSON.parse(stdout) as ContainerView).supervisorPid
      if (pid !== undefined) {
        process.kill(pid, 'SIGKILL')
        killed += 1
      }
      return (await happened('supervisor.gave-up')).length > 0
    },
    60_000,
  )
  expect(killed).toBeGreaterThanOrEqual(10)
  expect(await happened('supervisor.gave-up')).toMatchObject([{actor: 'coordinator', data: {deaths: 10, periodMs: 60_000}}])
  const [view] = await node.json<readonly ContainerView[]>('ps')
  expect(view).toMatchObject({id: 'cursed', state: 'running', unsupervised: true})
  expect((await node.tally('ps')).stdout).toContain('unsupervised')

  expect(await node.tally('down')).toMatchObject({exitCode: 0})
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
  await eventually('another supervisor', async () => (await node.tally('inspect', 'cursed')).exitCode === 0)
  expect(await node.json<ContainerView>('inspect', 'cursed')).not.toHaveProperty('unsupervised')
})
