import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {findSupervisor} from '../support/find-supervisor.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, type TallyNode} from '../support/tally-node.ts'

it.concurrent('a container that was given up is deleted with all others', async () => {
  await using node = await startNode()
  await node.tally('run', '-d', '--name', 'cursed', '--rootfs', node.rootfs, '--', 'sleep', '600')
  await giveUp(node)
  expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0, stdout: 'ended\n'})
})

it.concurrent('a container whose supervisors die again and again is left alone, which its ledger says, until the node is started again', async () => {
  await using node = await startNode()
  await node.tally('run', '-d', '--name', 'cursed', '--rootfs', node.rootfs, '--', 'sleep', '600')
  const killed = await giveUp(node)
  expect(killed).toBeGreaterThanOrEqual(10)
  const readGaveUp = async () => (await node.events('cursed')).filter(({type}) => type === 'supervisor.gave-up')
  await eventually('told', async () => (await readGaveUp()).length > 0)
  const gaveUp = await readGaveUp()
  expect(gaveUp).toMatchObject([{actor: 'coordinator', data: {deaths: 10, periodMs: 60_000}}])
  const [view] = await node.json<readonly ContainerView[]>('ps')
  expect(view).toMatchObject({id: 'cursed', state: 'running', unsupervised: true})
  expect((await node.tally('ps')).stdout).toContain('unsupervised')

  expect(await node.tally('down')).toMatchObject({exitCode: 0})
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
  await eventually('another supervisor', async () => (await node.tally('inspect', 'cursed')).exitCode === 0)
  expect(await node.json<ContainerView>('inspect', 'cursed')).not.toHaveProperty('unsupervised')
})

/** Kills every supervisor that it gets. @returns how many those were */
async function giveUp(node: TallyNode): Promise<number> {
  let killed = 0
  await eventually(
    'it is given up',
    () => {
      const pid = findSupervisor(node, 'cursed')
      if (pid !== undefined) {
        sendSignal(pid, 'SIGKILL')
        killed += 1
      }
      return node.journal('cursed').some((line) => line.includes('supervisor.gave-up'))
    },
    90_000,
  )
  return killed
}
