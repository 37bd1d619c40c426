/** Supervisors are killed: their containers run on under others, and nothing of output, input, terminals and exit statuses is lost. */
import {existsSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {connectTally, type ProcessClient, type TallyClient} from '../../src/client/index.ts'
import {createInputSender} from '../../src/client/send-input.ts'
import {readProcessStat} from '../../src/linux/process-table.ts'
import {findSupervisor} from '../support/find-supervisor.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, useNode} from '../support/tally-node.ts'
import {tellToEnd, untilTold} from '../support/until-told.ts'

const node = useNode()

const countAdopted = async (id: string) => (await node.events(id)).filter(({type}) => type === 'supervisor.adopted').length
const becomesAdopted = (id: string, times = 1) => eventually(`another supervisor of ${id}`, async () => (await countAdopted(id)) === times)
const killSupervisor = async (id: string) => sendSignal((await node.json<ContainerView>('inspect', id)).supervisorPid, 'SIGKILL')

describe.concurrent('a container whose supervisor is killed', () => {
  it('runs on under another, its output is whole, and its exit status is the true one', async () => {
    const script = `for i in $(seq 1 40); do echo $i; sleep 0.05; done; ${untilTold}; exit 5`
    await node.tally('run', '-d', '--name', 'orphaned', '--rootfs', node.rootfs, '--', 'sh', '-c', script)
    await killSupervisor('orphaned')
    await becomesAdopted('orphaned')
    tellToEnd((await node.json<ContainerView>('inspect', 'orphaned')).pid)
    const {stdout} = await node.tally('wait', 'orphaned')
    expect((await node.tally('logs', 'orphaned')).stdout).toBe(`${Array.from({length: 40}, (_, index) => index + 1).join('\n')}\n`)
    expect(stdout).toBe('5\n')
    const exited = (await node.events('orphaned')).find(({type}) => type === 'container.exited')
    expect(exited?.data).toMatchObject({exit: {type: 'code', code: 5}, source: 'waitid'})
    expect(await node.tally('rm', 'orphaned')).toMatchObject({exitCode: 0})
  })

  it('in the middle of its deletion, with the files of exec processes gone, is taken over and deleted', async () => {
    await node.tally('run', '-d', '--name', 'halfway', '--rootfs', node.rootfs, '--', 'sleep', '600')
    await using client = await connectTally({runDir: node.runDir})
    const container = client.container('halfway')
    await container.addProcess({exec: 'ended', args: ['true']})
    await container.process('ended').wait()
    rmSync(join(node.stateDir, 'containers/default/halfway/exec'), {recursive: true})
    await killSupervisor('halfway')
    await becomesAdopted('halfway')
    expect(await node.tally('rm', '-f', 'halfway')).toMatchObject({exitCode: 0})
  })

  it('and that removes itself stays for as long as its output is leased, and no longer', async () => {
    await using client = await connectTally({runDir: node.runDir})
    await client.create({id: 'leased', rootfs: node.rootfs, args: ['sh', '-c', 'echo all; exit 3'], autoRemove: true})
    const leased = client.container('leased')
    const isThere = () => existsSync(join(node.stateDir, 'containers/default/leased'))
    const leaseMs = 15_000
    const from = Date.now()
    await leased.output('stdout', 0, {holdMs: leaseMs})
    await leased.start()
    await leased.wait()
    await killSupervisor('leased')
    await becomesAdopted('leased')
    expect(Buffer.from((await leased.output('stdout', 0)).data, 'base64').toString()).toBe('all\n')
    await eventually('it is gone', () => !isThere())
    expect(Date.now() - from).toBeGreaterThanOrEqual(leaseMs)
  })

  it('after it was stopped and missed the exit, has its true exit status: the kernel keeps it until it is reaped', async () => {
    await node.tally('run', '-d', '--name', 'stalled', '--rootfs', node.rootfs, '--', 'sh', '-c', `${untilTold}; exit 7`)
    const {supervisorPid, pid} = await node.json<ContainerView>('inspect', 'stalled')
    sendSignal(supervisorPid, 'SIGSTOP')
    tellToEnd(pid)
    await eventually('it has ended', () => readProcessStat(pid ?? 0)?.isZombie === true)
    sendSignal(supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await node.tally('inspect', 'stalled')).exitCode === 0)
    expect((await node.tally('wait', 'stalled')).stdout).toBe('7\n')
    expect((await node.events('stalled')).at(-1)).toMatchObject({data: {exit: {type: 'code', code: 7}, source: 'waitid'}})
  })

  it('keeps its terminals: no program is sent SIGHUP, and what is typed is read', async () => {
    await using node = await startNode()
    await using client = await connectTally({runDir: node.runDir})
    await client.create({id: 'shell', rootfs: node.rootfs, args: ['sh'], stdin: true, terminal: true})
    const shell = client.container('shell')
    await shell.start()
    await shell.addProcess({exec: 'second', args: ['sh'], stdin: true, terminal: true})
    sendSignal((await shell.state()).supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await node.events('shell')).some(({type}) => type === 'supervisor.adopted'))
    await shell.process('second').resize({columns: 101, rows: 31})
    await type(client, shell.process('second'), 'stty size; exit 4\n')
    expect((await shell.process('second').wait()).exit).toEqual({type: 'code', code: 4})
    expect(Buffer.from((await shell.process('second').output('stdout', 0)).data, 'base64').toString()).toContain('31 101')
    await type(client, shell, 'echo still here; exit 5\n')
    expect((await shell.wait()).exit).toEqual({type: 'code', code: 5})
    expect((await node.tally('logs', 'shell')).stdout).toContain('\nstill here')
  })

  it('again and again while it floods a terminal, has each line in the log once', async () => {
    await using client = await connectTally({runDir: node.runDir})
    const count = 60_000
    const script = `i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo "line $i"; done; exit 3`
    await client.create({id: 'flood', rootfs: node.rootfs, args: ['sh', '-c', script], terminal: true})
    const flood = client.container('flood')
    await flood.start()
    for (let deaths = 0; deaths < 4; deaths += 1) {
      await becomesAdopted('flood', deaths)
      sendSignal(findSupervisor(node, 'flood'), 'SIGKILL')
    }
    expect((await flood.wait()).exit).toEqual({type: 'code', code: 3})
    const {stdout} = await node.tally('logs', 'flood')
    expect(stdout.replaceAll('\r', '')).toBe(Array.from({length: count}, (_, index) => `line ${index + 1}\n`).join(''))
  })

  it('again and again while it is fed, gets its input once, in order, and to its end', async () => {
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
      await killSupervisor('fed')
      await becomesAdopted('fed', deaths)
    }
    await feeding
    const {exitCode, stdout} = await child
    expect(String(stdout).replaceAll(/ x+/g, '').split('\n')).toEqual(Array.from({length: 300}, (_, index) => String(index + 1)))
    expect(exitCode).toBe(6)
  })

  it('gets the input of an added process, and its end', async () => {
    await using client = await connectTally({runDir: node.runDir})
    await client.create({id: 'host', rootfs: node.rootfs, args: ['sleep', '600']})
    const host = client.container('host')
    await host.start()
    await host.addProcess({exec: 'copy', args: ['cat'], stdin: true})
    const copy = host.process('copy')
    const sender = createInputSender(() => ({client, process: copy}))
    await sender.write(Buffer.from('before\n'))
    sendSignal((await host.state()).supervisorPid, 'SIGKILL')
    await sender.write(Buffer.from('after\n'))
    expect(await copy.state()).toMatchObject({state: 'running', stdin: true})
    await copy.closeStdin()
    expect((await copy.wait()).exit).toEqual({type: 'code', code: 0})
    expect(Buffer.from((await copy.output('stdout', 0)).data, 'base64').toString()).toBe('before\nafter\n')
  })
})

const type = (client: TallyClient, process: ProcessClient, text: string) =>
  createInputSender(() => ({client, process})).write(Buffer.from(text))
