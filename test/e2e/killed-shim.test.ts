/** Shims are killed, alone and with others: the coordinator, and what the kernel knows, stand in for them. */
import {existsSync} from 'node:fs'
import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {connectTally} from '../../src/client/index.ts'
import {createInputSender} from '../../src/client/send-input.ts'
import {readProcessStat} from '../../src/linux/process-table.ts'
import {findShim, findSupervisor} from '../support/find-supervisor.ts'
import {killNode} from '../support/kill-node.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, type TallyNode, useNode} from '../support/tally-node.ts'
import {tellToEnd, untilTold} from '../support/until-told.ts'

const node = useNode()

const counting = `for i in $(seq 1 40); do echo $i; sleep 0.05; done; ${untilTold}; exit 7`
const counted = `${Array.from({length: 40}, (_, index) => index + 1).join('\n')}\n`

function run(of: TallyNode, id: string, script: string, ...options: readonly string[]) {
  return of.tally('run', '-d', ...options, '--name', id, '--rootfs', of.rootfs, '--', 'sh', '-c', script)
}

async function find(of: TallyNode, id: string): Promise<{readonly shim: number; readonly init: number}> {
  const {pid} = await of.json<ContainerView>('inspect', id)
  const shim = findShim(of, id)
  if (shim === undefined || pid === undefined) throw new Error(`expected ${id} to run`)
  return {shim, init: pid}
}

/** One that sleeps has no process. */
function killSupervisor(of: TallyNode, id: string): void {
  const supervisor = findSupervisor(of, id)
  if (supervisor !== undefined) sendSignal(supervisor, 'SIGKILL')
}

const becomesAdopted = (of: TallyNode, id: string) =>
  eventually(`another supervisor of ${id}`, async () => (await of.events(id)).some(({type}) => type === 'supervisor.adopted'))
const readExit = async (of: TallyNode, id: string) => (await of.events(id)).find(({type}) => type === 'container.exited')?.data

it.concurrent('a container whose shim is killed runs on under another, its output is whole, and its exit status is the true one', async () => {
  await run(node, 'orphaned', counting)
  const {shim, init} = await find(node, 'orphaned')
  sendSignal(shim, 'SIGKILL')
  await becomesAdopted(node, 'orphaned')
  tellToEnd(init)
  expect((await node.tally('wait', 'orphaned')).stdout).toBe('7\n')
  expect((await node.tally('logs', 'orphaned')).stdout).toBe(counted)
  expect(await readExit(node, 'orphaned')).toMatchObject({exit: {type: 'code', code: 7}, source: 'coordinator'})
  expect(await node.tally('rm', 'orphaned')).toMatchObject({exitCode: 0})
})

it.concurrent('its exit status is the true one also when it has ended before the next shim is there', async () => {
  await run(node, 'missed', `${untilTold}; exit 6`)
  const {shim, init} = await find(node, 'missed')
  sendSignal(shim, 'SIGSTOP')
  tellToEnd(init)
  await eventually('it has ended', () => readProcessStat(init)?.isZombie === true)
  sendSignal(shim, 'SIGKILL')
  expect((await node.tally('wait', 'missed')).stdout).toBe('6\n')
  expect(await readExit(node, 'missed')).toMatchObject({exit: {type: 'code', code: 6}, source: 'coordinator'})
})

it.concurrent('its input stays open, and ends when it is closed; so do those of added processes', async () => {
  await using client = await connectTally({runDir: node.runDir})
  await client.create({id: 'fed', rootfs: node.rootfs, args: ['sh', '-c', 'cat; exit 5'], stdin: true})
  const fed = client.container('fed')
  await fed.start()
  await fed.addProcess({exec: 'copy', args: ['sh', '-c', 'cat; exit 4'], stdin: true})
  const copy = fed.process('copy')
  for (const process of [fed, copy]) await createInputSender(() => ({client, process})).write(Buffer.from('one\n'))
  for (const process of [fed, copy])
    await eventually('it has read', async () => Buffer.from((await process.output('stdout', 0)).data, 'base64').toString() === 'one\n')
  // The coordinator opens what is new once a second.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  sendSignal((await find(node, 'fed')).shim, 'SIGKILL')
  await becomesAdopted(node, 'fed')
  for (const process of [fed, copy]) await createInputSender(() => ({client, process})).write(Buffer.from('two\n'))
  await copy.closeStdin()
  expect((await copy.wait()).exit).toEqual({type: 'code', code: 4})
  await fed.closeStdin()
  expect((await fed.wait()).exit).toEqual({type: 'code', code: 5})
  for (const process of [fed, copy]) expect(Buffer.from((await process.output('stdout', 0)).data, 'base64').toString()).toBe('one\ntwo\n')
})

it.concurrent('supervisor and coordinator are killed together: the shim starts the next, and the exit status is the true one', async () => {
  await using node = await startNode()
  await run(node, 'alone', counting)
  const info = await node.info()
  const {init} = await find(node, 'alone')
  killNode(info)
  killSupervisor(node, 'alone')
  tellToEnd(init)
  await eventually('its exit is journaled', () => node.journal('alone').some((line) => line.includes('container.exited')))
  await node.up()
  expect((await node.tally('wait', 'alone')).stdout).toBe('7\n')
  expect((await node.tally('logs', 'alone')).stdout).toBe(counted)
  expect(await readExit(node, 'alone')).toMatchObject({exit: {type: 'code', code: 7}, source: 'waitid'})
})

it.concurrent('shim, supervisor and coordinator are killed together: the next coordinator gives the container another shim', async () => {
  await using node = await startNode()
  await run(node, 'alone', `${untilTold}; exit 7`)
  const info = await node.info()
  const {shim, init} = await find(node, 'alone')
  killNode(info)
  sendSignal(shim, 'SIGKILL')
  killSupervisor(node, 'alone')
  await node.up()
  await becomesAdopted(node, 'alone')
  tellToEnd(init)
  await node.tally('wait', 'alone')
  const {exit, source} = Object(await readExit(node, 'alone'))
  // Of a stranger, from Linux 6.15 on; or its new parent had not reaped it yet.
  expect(exit).toEqual(source === 'none' ? expect.objectContaining({type: 'lost'}) : {type: 'code', code: 7})
})

it.concurrent('shim and coordinator are killed: the next coordinator knows the exit from the shim above it', async () => {
  await using node = await startNode()
  await run(node, 'told', `${untilTold}; exit 7`)
  const {shim, init} = await find(node, 'told')
  const {coordinatorPid} = await node.info()
  sendSignal(coordinatorPid, 'SIGKILL')
  await eventually('another coordinator', async () => (await node.info()).coordinatorPid !== coordinatorPid)
  // Its container is a child of the shim of the coordinator from now on.
  sendSignal(shim, 'SIGSTOP')
  tellToEnd(init)
  await eventually('it has ended', () => readProcessStat(init)?.isZombie === true)
  sendSignal(shim, 'SIGKILL')
  expect((await node.tally('wait', 'told')).stdout).toBe('7\n')
  expect(await readExit(node, 'told')).toMatchObject({exit: {type: 'code', code: 7}, source: 'coordinator'})
  await eventually('it is reaped', () => readProcessStat(init) === undefined)
  await eventually('so is its shim', () => readProcessStat(shim) === undefined, 20_000)
})

it.concurrent('no shim is started for a container that has one, whatever happens to the coordinator', async () => {
  await using node = await startNode()
  await run(node, 'kept', `${untilTold}; exit 3`)
  const {shim, init} = await find(node, 'kept')
  for (let times = 0; times < 3; times += 1) {
    const {coordinatorPid} = await node.info()
    sendSignal(coordinatorPid, 'SIGKILL')
    await eventually('another coordinator', async () => (await node.info()).coordinatorPid !== coordinatorPid)
    await node.tally('exec', 'kept', 'true')
  }
  killNode(await node.info())
  await node.up()
  expect(await node.tally('down')).toMatchObject({exitCode: 0})
  await node.up()
  expect(await find(node, 'kept')).toMatchObject({shim, init})
  tellToEnd(init)
  expect((await node.tally('wait', 'kept')).stdout).toBe('3\n')
  expect(await node.tally('rm', 'kept')).toMatchObject({exitCode: 0})
  await eventually('its shim ends with it', () => !existsSync(`/proc/${shim}`))
})
