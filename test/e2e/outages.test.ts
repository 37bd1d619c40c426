import {describe, expect, it} from 'vitest'
import {readProcessStat} from '../../src/linux/process-table.ts'
import type {ContainerView} from '../../machines/views/view.ts'
import {eventually, startNode} from '../support/tally-node.ts'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('while there is no coordinator', () => {
  it('the exit of a container is on the stream before there is one again', async () => {
    await using node = await startNode()
    await node.tally('run', '-d', '--name', 'alone', '--rootfs', node.rootfs, '--', 'sh', '-c', 'sleep 3; exit 7')
    process.kill((await node.info()).coordinatorPid, 'SIGKILL')
    await sleep(8_000)
    expect((await node.events('alone')).at(-1)).toMatchObject({
      type: 'container.exited',
      data: {exit: {type: 'code', code: 7}, source: 'waitid'},
    })
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
  })
})

describe('while coordinator and supervisor are dead together', () => {
  it('a container exits, and what is said of it afterwards is that nobody knows how, if not the truth', async () => {
    await using node = await startNode()
    await node.tally('run', '-d', '--name', 'unseen', '--rootfs', node.rootfs, '--', 'sh', '-c', 'sleep 2; exit 7')
    const {supervisorPid, pid = 0} = await node.json<ContainerView & {readonly supervisorPid: number}>('inspect', 'unseen')
    process.kill((await node.info()).coordinatorPid, 'SIGKILL')
    process.kill(supervisorPid, 'SIGKILL')
    await eventually('it has ended', () => readProcessStat(pid)?.isZombie !== false)
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
    await eventually('another supervisor', async () => (await node.tally('inspect', 'unseen')).exitCode === 0)
    expect(['7\n', 'lost\n']).toContain((await node.tally('wait', 'unseen')).stdout)
    const events = await node.events('unseen')
    expect(events.map(({sequence}) => sequence)).toEqual(events.map((_, index) => index + 1))
    const exited = events.find(({type}) => type === 'container.exited')
    expect([
      {type: 'code', code: 7},
      {type: 'lost', reason: 'it ended while it had no supervisor'},
    ]).toContainEqual(exited?.type === 'container.exited' ? exited.data.exit : undefined)
  })
})

describe('while an added process runs under no supervisor', () => {
  it('its exit is taken down, and init, whose pid namespace it is in, ends without waiting for anybody', async () => {
    await using node = await startNode()
    const main = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    await node.tally('run', '-d', '--name', 'two', '--rootfs', node.rootfs, '--', 'sh', '-c', main)
    await eventually('it is ready', async () => (await node.tally('logs', 'two')).stdout.includes('ready'))
    await node.tally('exec', '-d', '--id', 'second', 'two', 'sh', '-c', 'sleep 0.3; echo written; exit 3')
    const {supervisorPid} = await node.json<{readonly supervisorPid: number}>('inspect', 'two')
    process.kill(supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await node.events('two')).some(({type}) => type === 'supervisor.adopted'))
    expect((await node.tally('wait', '--exec', 'second', 'two')).stdout).toBe('3\n')
    const before = Date.now()
    expect(await node.tally('stop', '-t', '20', 'two')).toMatchObject({exitCode: 0})
    expect((await node.tally('wait', 'two')).stdout).toBe('5\n')
    expect(Date.now() - before).toBeLessThan(15_000)
  })
})
