/** Coordinator, supervisor and nats-server are dead, alone or together, and come back. Each test has a node of its own, and waits beside the others. */
import {release} from 'node:os'
import {describe, expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {readProcessStat} from '../../src/linux/process-table.ts'
import {killNode} from '../support/kill-node.ts'
import {startNatsServer} from '../support/nats-server.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode} from '../support/tally-node.ts'
import {tellToEnd, untilTold} from '../support/until-told.ts'

const wholeLife = ['create-requested', 'created', 'start-requested', 'started', 'exited'].map((what) => `container.${what}`)

const [major = 0, minor = 0] = release().split('.').map(Number)
/** From Linux 6.15 on the kernel tells how a process ended to any holder of a pidfd of it. */
const isExitTold = major > 6 || (major === 6 && minor >= 15)

describe.concurrent('while there is no coordinator', () => {
  it('the exit of a container is on the stream before there is one again', async () => {
    await using node = await startNode()
    await node.tally('run', '-d', '--name', 'alone', '--rootfs', node.rootfs, '--', 'sh', '-c', 'sleep 3; exit 7')
    killNode(await node.info())
    await eventually('it is on the stream', async () => (await node.events('alone')).at(-1)?.type === 'container.exited')
    expect((await node.events('alone')).at(-1)).toMatchObject({
      type: 'container.exited',
      data: {exit: {type: 'code', code: 7}, source: 'waitid'},
    })
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
  })
})

describe.concurrent('while coordinator, shim and supervisor are dead together', () => {
  it('a command waits for the next ones, or says that nobody answers, and run in the foreground goes on', async () => {
    await using node = await startNode()
    const running = node.spawn('run', '--name', 'attached', '--rootfs', node.rootfs, '--', 'sh', '-c', `${untilTold}; exit 7`)
    await eventually('it runs', async () => (await node.tally('ps', '-q')).stdout === 'attached\n')
    const {supervisorPid, pid} = await node.json<ContainerView>('inspect', 'attached')
    const shim = readProcessStat(supervisorPid ?? 0)?.parentPid
    killNode(await node.info())
    for (const process of [shim, supervisorPid]) sendSignal(process, 'SIGKILL')
    expect(await node.tally('kill', 'attached')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^tally: nobody answers for container attached: .*`tally up` starts one \[NODE_NOT_RUNNING\]\n$/),
    })
    expect((await node.tally('kill', 'nosuch')).stderr).toContain('[CONTAINER_NOT_FOUND]')
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
    await eventually('another supervisor', async () => (await node.tally('inspect', 'attached')).exitCode === 0)
    tellToEnd(pid)
    expect(await running).toMatchObject({exitCode: 7, stderr: ''})
  })

  it('a container exits, and its exit is reported as lost, if not as it was', async () => {
    await using node = await startNode()
    await node.tally('run', '-d', '--name', 'unseen', '--rootfs', node.rootfs, '--', 'sh', '-c', 'sleep 2; exit 7')
    const {supervisorPid, pid = 0} = await node.json<ContainerView>('inspect', 'unseen')
    const shim = readProcessStat(supervisorPid ?? 0)?.parentPid
    killNode(await node.info())
    for (const process of [shim, supervisorPid]) sendSignal(process, 'SIGKILL')
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

describe.concurrent('while coordinator and supervisor are dead together', () => {
  it('a container that exits has its true exit status, and commands go on', async () => {
    await using node = await startNode()
    await node.tally('run', '-d', '--name', 'seen', '--rootfs', node.rootfs, '--', 'sh', '-c', `${untilTold}; exit 7`)
    const {supervisorPid, pid} = await node.json<ContainerView>('inspect', 'seen')
    killNode(await node.info())
    sendSignal(supervisorPid, 'SIGKILL')
    tellToEnd(pid)
    await eventually('its exit is journaled', () => node.journal('seen').some((line) => line.includes('container.exited')))
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
    expect((await node.tally('wait', 'seen')).stdout).toBe('7\n')
  })
})

describe.concurrent('while an added process runs under no supervisor', () => {
  it('its exit is journaled, and init, whose pid namespace it is in, ends without delay', async () => {
    await using node = await startNode()
    const main = "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    await node.tally('run', '-d', '--name', 'two', '--rootfs', node.rootfs, '--', 'sh', '-c', main)
    await eventually('it is ready', async () => (await node.tally('logs', 'two')).stdout.includes('ready'))
    await node.tally('exec', '-d', '--id', 'second', 'two', 'sh', '-c', 'sleep 0.3; echo written; exit 3')
    const {supervisorPid} = await node.json<ContainerView>('inspect', 'two')
    sendSignal(supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await node.events('two')).some(({type}) => type === 'supervisor.adopted'))
    expect((await node.tally('wait', '--exec', 'second', 'two')).stdout).toBe('3\n')
    const before = Date.now()
    expect(await node.tally('stop', '-t', '60', 'two')).toMatchObject({exitCode: 0})
    expect((await node.tally('wait', 'two')).stdout).toBe('5\n')
    expect(Date.now() - before).toBeLessThan(50_000)
  })
})

describe.concurrent('when the coordinator is killed', () => {
  it('the container runs on, its exit is on the stream, and the next coordinator lists it', async () => {
    await using node = await startNode()
    await node.tally('run', '-d', '--name', 'on', '--rootfs', node.rootfs, '--', 'sh', '-c', 'sleep 1; exit 6')
    killNode(await node.info())
    expect(await node.tally('ps')).toMatchObject({exitCode: 1, stderr: expect.stringContaining('NODE_NOT_RUNNING')})
    expect((await node.tally('wait', 'on')).stdout).toBe('6\n')
    expect((await node.events('on')).map(({type}) => type)).toEqual(wholeLife)
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
    const [view] = await node.json<readonly ContainerView[]>('ps', '-a')
    expect(view).toMatchObject({id: 'on', state: 'stopped', exit: {type: 'code', code: 6}})
  })
})

describe.concurrent('when the coordinator is killed, and a supervisor after it', () => {
  it.each([
    ['before the next coordinator starts', false],
    ['after it', true],
  ])('the next coordinator puts another in its place: %s', async (_, isUpFirst) => {
    await using node = await startNode()
    await node.tally('run', '-d', '--name', 'alone', '--rootfs', node.rootfs, '--', 'sh', '-c', `${untilTold}; exit 5`)
    const {supervisorPid} = await node.json<ContainerView>('inspect', 'alone')
    killNode(await node.info())
    if (isUpFirst) expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
    sendSignal(supervisorPid, 'SIGKILL')
    if (!isUpFirst) expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
    await eventually('another supervisor', async () => (await node.tally('inspect', 'alone')).exitCode === 0)
    tellToEnd((await node.json<ContainerView>('inspect', 'alone')).pid)
    expect((await node.tally('wait', 'alone')).stdout).toBe(isExitTold ? '5\n' : 'lost\n')
    const events = await node.events('alone')
    expect(events.map(({sequence}) => sequence)).toEqual(events.map((_event, index) => index + 1))
    expect(await node.tally('rm', 'alone')).toMatchObject({exitCode: 0})
  })
})

describe.concurrent('when the embedded nats-server is killed', () => {
  it('it is started again, and run in the foreground goes on without a gap', async () => {
    await using node = await startNode()
    const script = 'for i in $(seq 1 60); do echo $i; sleep 0.05; done; exit 5'
    const child = node.spawn('run', '--rm', '--rootfs', node.rootfs, '--', 'sh', '-c', script)
    const {natsPid} = await node.info()
    await new Promise((resolve) => child.stdout.once('data', resolve))
    sendSignal(natsPid, 'SIGKILL')
    const {exitCode, stdout} = await child
    expect(stdout.split('\n').map(Number)).toEqual(Array.from({length: 60}, (_, index) => index + 1))
    expect(exitCode).toBe(5)
    expect((await node.info()).natsPid).not.toBe(natsPid)
  })
})

describe.concurrent('when an outside nats-server is away while containers exit', () => {
  it('every event arrives afterwards, once and in order', async () => {
    await using nats = await startNatsServer()
    await using node = await startNode({up: false})
    const login = ['--nats', nats.url, '--user', nats.credentials.user]
    Object.assign(node.env, {TALLY_PASSWORD: nats.credentials.password})
    expect(await node.tally('up', '-d', ...login)).toMatchObject({exitCode: 0, stderr: ''})
    const ids = Array.from({length: 10}, (_, index) => `away${index}`)
    const runs = await Promise.all(
      ids.map((id, index) =>
        node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, '--', 'sh', '-c', `${untilTold}; exit ${index}`),
      ),
    )
    expect(runs.map(({exitCode, stderr}) => ({exitCode, stderr}))).toEqual(ids.map(() => ({exitCode: 0, stderr: ''})))
    const views = await node.json<readonly ContainerView[]>('ps')
    await nats.kill()
    for (const {pid} of views) tellToEnd(pid)
    await eventually('all have exited', () => ids.every((id) => node.journal(id).length === 5))
    await nats.restart()
    await eventually('coordinator back', async () => (await node.tally('info')).exitCode === 0)
    for (const [index, id] of ids.entries()) {
      await eventually('exit on the stream', async () => (await node.events(id)).length === 5)
      const events = await node.events(id)
      expect(events.map(({type}) => type)).toEqual(wholeLife)
      expect(events.at(-1)).toMatchObject({data: {exit: {type: 'code', code: index}}})
    }
    expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0})
  })
})
