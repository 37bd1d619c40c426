import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {release} from 'node:os'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {connectTally, type ProcessClient, type TallyClient} from '../../src/client/index.ts'
import {createInputSender} from '../../src/client/send-input.ts'
import {listProcesses, readProcessStat} from '../../src/linux/process-table.ts'
import {findSupervisor} from '../support/find-supervisor.ts'
import {startNatsServer} from '../support/nats-server.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode} from '../support/tally-node.ts'

const wholeLife = ['create-requested', 'created', 'start-requested', 'started', 'exited'].map((what) => `container.${what}`)

const [major = 0, minor = 0] = release().split('.').map(Number)
/** From Linux 6.15 on the kernel tells whoever holds a pidfd how the process ended. */
const isExitTold = major > 6 || (major === 6 && minor >= 15)

describe('when the coordinator is killed', () => {
  it('the container runs on, its exit is on the stream, and the next coordinator lists it', async () => {
    await using node = await startNode()
    await node.tally('run', '-d', '--name', 'on', '--rootfs', node.rootfs, '--', 'sh', '-c', 'sleep 1; exit 6')
    process.kill((await node.info()).coordinatorPid, 'SIGKILL')
    expect(await node.tally('ps')).toMatchObject({exitCode: 1, stderr: expect.stringContaining('NODE_NOT_RUNNING')})
    expect((await node.tally('wait', 'on')).stdout).toBe('6\n')
    expect((await node.events('on')).map(({type}) => type)).toEqual(wholeLife)
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
    const [view] = await node.json<readonly ContainerView[]>('ps', '-a')
    expect(view).toMatchObject({id: 'on', state: 'stopped', exit: {type: 'code', code: 6}})
  })
})

describe('when a supervisor is killed', () => {
  it('the container runs on under another, its output is whole, and its exit status is the true one', async () => {
    await using node = await startNode()
    const script = 'for i in $(seq 1 40); do echo $i; sleep 0.05; done; exit 5'
    await node.tally('run', '-d', '--name', 'orphaned', '--rootfs', node.rootfs, '--', 'sh', '-c', script)
    const {supervisorPid} = await node.json<{readonly supervisorPid: number}>('inspect', 'orphaned')
    process.kill(supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await node.events('orphaned')).some(({type}) => type === 'supervisor.adopted'))
    const {stdout} = await node.tally('wait', 'orphaned')
    expect((await node.tally('logs', 'orphaned')).stdout).toBe(`${Array.from({length: 40}, (_, index) => index + 1).join('\n')}\n`)
    expect(stdout).toBe('5\n')
    const exited = (await node.events('orphaned')).find(({type}) => type === 'container.exited')
    expect(exited?.data).toMatchObject({exit: {type: 'code', code: 5}, source: 'coordinator'})
    expect(await node.tally('rm', 'orphaned')).toMatchObject({exitCode: 0})
  })
})

describe('when the supervisor of what removes itself is killed', () => {
  it('whoever holds it has it for as long as he was promised, and no longer', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    await client.create({id: 'held', rootfs: node.rootfs, args: ['sh', '-c', 'echo all; exit 3'], autoRemove: true})
    const held = client.container('held')
    const isThere = () => existsSync(join(node.stateDir, 'containers/default/held'))
    const holdMs = 6_000
    const from = Date.now()
    await held.output('stdout', 0, {holdMs})
    await held.start()
    await held.wait()
    const {supervisorPid = 0} = await held.state()
    process.kill(supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await node.events('held')).some(({type}) => type === 'supervisor.adopted'))
    expect(Buffer.from((await held.output('stdout', 0)).data, 'base64').toString()).toBe('all\n')
    await eventually('it is gone', () => !isThere())
    expect(Date.now() - from).toBeGreaterThanOrEqual(holdMs)
    expect(Date.now() - from).toBeLessThan(holdMs + 4_000)
  })
})

describe('when a supervisor is stopped, its container exits, and then it is killed', () => {
  it('the exit status is the true one: the kernel keeps it, and the coordinator lets nobody take it', async () => {
    await using node = await startNode()
    await node.tally('run', '-d', '--name', 'stalled', '--rootfs', node.rootfs, '--', 'sh', '-c', 'sleep 1; exit 7')
    const {supervisorPid, pid} = await node.json<ContainerView & {readonly supervisorPid: number}>('inspect', 'stalled')
    process.kill(supervisorPid, 'SIGSTOP')
    await eventually('it has ended', () => readProcessStat(pid ?? 0)?.isZombie === true)
    process.kill(supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await node.tally('inspect', 'stalled')).exitCode === 0)
    expect((await node.tally('wait', 'stalled')).stdout).toBe('7\n')
    expect((await node.events('stalled')).at(-1)).toMatchObject({data: {exit: {type: 'code', code: 7}, source: 'coordinator'}})
  })
})

describe('when the supervisor of a terminal is killed', () => {
  it('the session goes on under the next: nobody is hung up on, and what is typed is read', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    await client.create({id: 'shell', rootfs: node.rootfs, args: ['sh'], stdin: true, terminal: true})
    const shell = client.container('shell')
    await shell.start()
    await shell.addProcess({exec: 'second', args: ['sh'], stdin: true, terminal: true})
    await keeperLooks()
    const {supervisorPid = 0} = await shell.state()
    process.kill(supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await node.events('shell')).some(({type}) => type === 'supervisor.adopted'))
    await shell.process('second').resize({columns: 101, rows: 31})
    await type(client, shell.process('second'), 'stty size; exit 4\n')
    expect((await shell.process('second').wait()).exit).toEqual({type: 'code', code: 4})
    expect(Buffer.from((await shell.process('second').output('stdout', 0)).data, 'base64').toString()).toContain('31 101')
    await type(client, shell, 'echo still here; exit 5\n')
    expect((await shell.wait()).exit).toEqual({type: 'code', code: 5})
    expect((await node.tally('logs', 'shell')).stdout).toContain('\nstill here')
  })
})

describe('when the supervisors of what floods a terminal are killed', () => {
  it('each line is in the log once', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    const count = 60_000
    const script = `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo "line $i"; done; exit 3`
    await client.create({id: 'flood', rootfs: node.rootfs, args: ['sh', '-c', script], terminal: true})
    const flood = client.container('flood')
    await flood.start()
    for (let deaths = 0; deaths < 4; deaths += 1) {
      const adopted = async () => (await node.events('flood')).filter(({type}) => type === 'supervisor.adopted').length
      await eventually('another supervisor', async () => (await adopted()) === deaths)
      sendSignal(findSupervisor(node, 'flood'), 'SIGKILL')
    }
    expect((await flood.wait()).exit).toEqual({type: 'code', code: 3})
    const {stdout} = await node.tally('logs', 'flood')
    expect(stdout.replaceAll('\r', '')).toBe(Array.from({length: count}, (_, index) => `line ${index + 1}\n`).join(''))
  })
})

describe('when the supervisor of what is being fed is killed, again and again', () => {
  it('the input goes on under the next: once, in order, and to its end', async () => {
    await using node = await startNode()
    const child = node.spawn('run', '-i', '--name', 'fed', '--rootfs', node.rootfs, 'sh', '-c', 'cat; exit 6')
    const feeding = (async () => {
      for (let line = 1; line <= 300; line += 1) {
        // More than a pipe holds, in all.
        child.stdin?.write(`${line} ${'x'.repeat(4_000)}\n`)
        await new Promise((resolve) => setTimeout(resolve, 15))
      }
      child.stdin?.end()
    })()
    for (let deaths = 1; deaths <= 3; deaths += 1) {
      await eventually('it is supervised', async () => (await node.tally('inspect', 'fed')).exitCode === 0)
      const {supervisorPid} = await node.json<{readonly supervisorPid: number}>('inspect', 'fed')
      process.kill(supervisorPid, 'SIGKILL')
      await eventually(
        'another supervisor',
        async () => (await node.events('fed')).filter(({type}) => type === 'supervisor.adopted').length === deaths,
      )
    }
    await feeding
    const {exitCode, stdout} = await child
    expect(String(stdout).replaceAll(/ x+/g, '').split('\n')).toEqual(Array.from({length: 300}, (_, index) => String(index + 1)))
    expect(exitCode).toBe(6)
  })

  it('so does that of an added process, which ends when it is told to', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    await client.create({id: 'host', rootfs: node.rootfs, args: ['sleep', '600']})
    const host = client.container('host')
    await host.start()
    await host.addProcess({exec: 'copy', args: ['cat'], stdin: true})
    const copy = host.process('copy')
    const sender = createInputSender(() => ({client, process: copy}))
    await sender.write(Buffer.from('before\n'))
    const {supervisorPid = 0} = await host.state()
    process.kill(supervisorPid, 'SIGKILL')
    await sender.write(Buffer.from('after\n'))
    expect(await copy.state()).toMatchObject({state: 'running', stdin: true})
    const from = performance.now()
    await copy.closeStdin()
    expect((await copy.wait()).exit).toEqual({type: 'code', code: 0})
    // The coordinator, which holds its input as well, hears of it at once.
    expect(performance.now() - from).toBeLessThan(900)
    expect(Buffer.from((await copy.output('stdout', 0)).data, 'base64').toString()).toBe('before\nafter\n')
  })
})

const type = (client: TallyClient, process: ProcessClient, text: string) =>
  createInputSender(() => ({client, process})).write(Buffer.from(text))

/** The coordinator takes hold of what is new once a second. */
const keeperLooks = () => new Promise((resolve) => setTimeout(resolve, 1_500))

describe('when the coordinator is killed, and a supervisor after it', () => {
  it.each([
    ['before the next coordinator starts', false],
    ['after it', true],
  ])('the next coordinator puts another in its place: %s', async (_, isUpFirst) => {
    await using node = await startNode()
    await node.tally('run', '-d', '--name', 'alone', '--rootfs', node.rootfs, '--', 'sh', '-c', 'sleep 8; exit 5')
    const {supervisorPid} = await node.json<{readonly supervisorPid: number}>('inspect', 'alone')
    process.kill((await node.info()).coordinatorPid, 'SIGKILL')
    if (isUpFirst) expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
    process.kill(supervisorPid, 'SIGKILL')
    if (!isUpFirst) expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
    await eventually('another supervisor', async () => (await node.tally('inspect', 'alone')).exitCode === 0)
    expect((await node.tally('wait', 'alone')).stdout).toBe(isExitTold ? '5\n' : 'lost\n')
    const events = await node.events('alone')
    expect(events.map(({sequence}) => sequence)).toEqual(events.map((_event, index) => index + 1))
    expect(await node.tally('rm', 'alone')).toMatchObject({exitCode: 0})
  })
})

describe('when the embedded nats-server is killed', () => {
  it('it is started again, and run in the foreground goes on without a gap', async () => {
    await using node = await startNode()
    const script = 'for i in $(seq 1 60); do echo $i; sleep 0.05; done; exit 5'
    const child = node.spawn('run', '--rm', '--rootfs', node.rootfs, '--', 'sh', '-c', script)
    const {natsPid} = await node.info()
    await new Promise((resolve) => child.stdout.once('data', resolve))
    if (natsPid) process.kill(natsPid, 'SIGKILL')
    const {exitCode, stdout} = await child
    expect(stdout.split('\n').map(Number)).toEqual(Array.from({length: 60}, (_, index) => index + 1))
    expect(exitCode).toBe(5)
    expect((await node.info()).natsPid).not.toBe(natsPid)
  })
})

describe('when an outside nats-server is away for 30 s while containers exit', () => {
  it('every event arrives afterwards, once and in order', async () => {
    await using nats = await startNatsServer()
    await using node = await startNode({up: false})
    const login = ['--nats', nats.url, '--user', nats.credentials.user]
    Object.assign(node.env, {TALLY_PASSWORD: nats.credentials.password})
    expect(await node.tally('up', '-d', ...login)).toMatchObject({exitCode: 0, stderr: ''})
    const ids = Array.from({length: 10}, (_, index) => `away${index}`)
    const runs = await Promise.all(
      ids.map((id, index) => node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, '--', 'sh', '-c', `sleep 8; exit ${index}`)),
    )
    expect(runs.map(({exitCode, stderr}) => ({exitCode, stderr}))).toEqual(ids.map(() => ({exitCode: 0, stderr: ''})))
    await nats.kill()
    await new Promise((resolve) => setTimeout(resolve, 30_000))
    for (const id of ids) expect(node.journal(id).length).toBe(5)
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

describe('a program that leaves a daemon behind', () => {
  it('leaves nothing, whether or not it has a pid namespace of its own', async () => {
    await using node = await startNode()
    const marker = '98765.4321'
    // Forked twice and in a session of its own: a child of nobody we know.
    const script = `(setsid sh -c 'sleep ${marker} & sleep ${marker}' &) ; sleep 0.2; exit 3`
    expect(await node.tally('run', '--rm', '--rootfs', node.rootfs, '--', 'sh', '-c', script)).toMatchObject({exitCode: 3})
    await eventually('the daemon is gone', () => !isRunning(marker))

    const bundle = `${node.dir}/shared-pids`
    mkdirSync(bundle)
    const spec = {
      ociVersion: '1.0.2',
      process: {user: {uid: 0, gid: 0}, args: ['sh', '-c', script], env: ['PATH=/bin'], cwd: '/'},
      root: {path: node.rootfs},
      mounts: [{destination: '/proc', type: 'proc', source: 'proc'}],
      linux: {namespaces: [{type: 'mount'}], cgroupsPath: '/tally-test-shared-pids'},
    }
    writeFileSync(`${bundle}/config.json`, JSON.stringify(spec))
    expect(await node.tally('run', '--rm', '--bundle', bundle)).toMatchObject({exitCode: 3})
    await eventually('the daemon is gone', () => !isRunning(marker))
  })
})

function isRunning(argument: string): boolean {
  return listProcesses().some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(argument)
    } catch {
      return false
    }
  })
}
