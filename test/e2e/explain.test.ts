/** The story of a container, told by the command from the stream alone. */
import {expect, test} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import type {Story} from '../../machines/story/story.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()

test('the command explains a container that runs, one that was deleted, and those that had the id before', async () => {
  const run = (...args: readonly string[]) => node.tally('run', '-d', '--name', 'web', '--rootfs', node.rootfs, '--', 'sh', '-c', ...args)
  await run('exit 7')
  await node.tally('wait', 'web')
  const {uid: former} = await node.json<ContainerView>('inspect', 'web')
  await node.tally('rm', 'web')
  const gone = await node.tally('explain', 'web')
  expect(gone).toMatchObject({exitCode: 0, stderr: ''})
  expect(gone.stdout).toMatch(/^default\/web on node n1, uid [\w-]{36}\ndeleted, ran for \d+(\.\d+)? m?s; /)
  expect(gone.stdout).toMatch(/ \+0 ms {2}1 {2}root requested a container to run sh -c "exit 7"\n/)
  expect(gone.stdout).toMatch(/ 4 {4}the program was started \(after \d+ ms\)\n/)
  expect(gone.stdout).toMatch(/ 5 {2}the container ended with code 7; it used/)
  expect(gone.stdout).toMatch(/\nNothing was lost\.\n$/)

  await run('exec sleep 1000')
  const {supervisorPid} = await node.json<ContainerView>('inspect', 'web')
  sendSignal(supervisorPid, 'SIGKILL')
  await eventually('it is adopted', () => node.journal('web').some((line) => line.includes('supervisor.adopted')))
  await eventually('it answers', async () => (await node.tally('inspect', 'web')).exitCode === 0)
  await node.tally('stop', '-t', '0', 'web')
  const story = await node.json<Story & {others: readonly string[]}>('explain', 'web')
  expect(story).toMatchObject({source: '/tally/n1/default/web', state: 'stopped', others: [former]})
  expect(story.losses).toEqual([{sequence: 5, text: 'there was no supervisor for a while'}])
  const end = story.steps.find(({type}) => type === 'container.exited')
  expect(end).toMatchObject({cause: {certainty: 'recorded'}, text: expect.stringContaining('was killed by SIGKILL')})

  const before = await node.json<Story>('explain', 'web', '--uid', former.slice(0, 8))
  expect(before).toMatchObject({uid: former, state: 'deleted'})
  expect((await node.tally('explain', 'web')).stdout).toContain(`Others have had this id: --uid ${former.slice(0, 8)}`)
})

test('a container that never existed is an error', async () => {
  expect(await node.tally('explain', 'nobody')).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringContaining('[CONTAINER_NOT_FOUND]'),
  })
  expect(await node.tally('explain', 'web', '--uid', 'zz')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('uid begins with zz'),
  })
})
