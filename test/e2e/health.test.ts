import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()

const health = async (id: string) => (await node.json<ContainerView>('inspect', id)).health
const become = (id: string, status: string) => eventually(`${id} is ${status}`, async () => (await health(id))?.status === status)
const run = async (id: string, ...args: readonly string[]) =>
  expect(await node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, ...args)).toMatchObject({exitCode: 0, stderr: ''})
const changes = async (id: string) =>
  (await node.events(id)).flatMap((event) => (event.type === 'container.health-changed' ? [event.data] : []))

it('a check tells when a container becomes well, and no longer is, and nothing when all is as before', async () => {
  const check = 'test -f /well && echo fine || { echo not yet; exit 1; }'
  await run('web', '--health-cmd', check, '--health-interval', '0.1s', '--health-retries', '2', '--', 'sleep', '600')
  expect((await health('web'))?.status).toMatch(/starting|unhealthy/)
  await become('web', 'unhealthy')
  expect((await node.tally('ps')).stdout).toContain('(unhealthy)')
  await node.tally('exec', 'web', 'touch', '/well')
  await become('web', 'healthy')
  await node.tally('pause', 'web')
  await new Promise((resolve) => setTimeout(resolve, 500))
  await node.tally('resume', 'web')
  await node.tally('exec', 'web', 'rm', '/well')
  await become('web', 'unhealthy')
  expect(await changes('web')).toEqual([
    {status: 'unhealthy', failures: 2, output: 'not yet\n'},
    {status: 'healthy', failures: 0, output: 'fine\n'},
    {status: 'unhealthy', failures: 2, output: 'not yet\n'},
  ])
  expect(await node.json('execs', 'web')).toEqual([])
  expect((await node.tally('logs', 'web')).stdout).toBe('')
})

it('one that takes too long is killed and has failed, and one that floods is cut', async () => {
  await run(
    'slow',
    '--health-cmd',
    'sleep 100',
    '--health-interval',
    '0.1s',
    '--health-timeout',
    '0.3s',
    '--health-retries',
    '1',
    'sleep',
    '600',
  )
  await run('loud', '--health-cmd', 'seq 1 200000; exit 1', '--health-interval', '0.1s', '--health-retries', '1', 'sleep', '600')
  await become('slow', 'unhealthy')
  expect(await changes('slow')).toEqual([{status: 'unhealthy', failures: 1, output: 'it took longer than 300 ms'}])
  await become('loud', 'unhealthy')
  expect((await changes('loud'))[0]?.output).toHaveLength(4_096)
  expect((await node.tally('top', 'slow')).stdout.match(/sleep 100/g)?.length ?? 0).toBeLessThanOrEqual(1)
})

it('failures do not count at first, and a supervisor that takes over goes on checking', async () => {
  const check = 'echo >> /checks; test -f /well'
  const options = ['--health-cmd', check, '--health-interval', '0.1s', '--health-start-interval', '0.1s', '--health-retries', '1']
  await run('early', ...options, '--health-start-period', '1h', '--', 'sleep', '600')
  const countChecks = async () => (await node.tally('exec', 'early', 'cat', '/checks')).stdout.length
  await eventually('several checks', async () => (await countChecks()) > 4)
  expect(await health('early')).toEqual({status: 'starting'})
  const {supervisorPid} = await node.json<ContainerView>('inspect', 'early')
  sendSignal(supervisorPid, 'SIGKILL')
  expect(await node.tally('exec', 'early', 'touch', '/well')).toMatchObject({exitCode: 0})
  await become('early', 'healthy')
  await node.tally('exec', 'early', 'rm', '/well')
  await become('early', 'unhealthy')
})

it('options of a check are refused without a command', async () => {
  expect(await node.tally('run', '--health-retries', '2', '--rootfs', node.rootfs, 'true')).toMatchObject({
    exitCode: 125,
    stderr: expect.stringContaining('expected --health-cmd COMMAND'),
  })
})
