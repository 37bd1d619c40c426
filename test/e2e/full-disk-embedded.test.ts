import {appendFileSync, existsSync, rmSync, statfsSync, statSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {isAlive, readProcessIdentity} from '../../src/linux/process-table.ts'
import {killNode} from '../support/kill-node.ts'
import {fill, mountDisk} from '../support/small-disk.ts'
import {eventually, startNode, type TallyNode} from '../support/tally-node.ts'

const pageBytes = 4_096
const refused = {exitCode: 125, stderr: expect.stringMatching(/no room on the disk of .*\[JETSTREAM_UNAVAILABLE\]/)}

async function returns(work: () => Promise<{readonly exitCode: number | undefined}>): Promise<void> {
  await eventually('it goes on', async () => (await work()).exitCode === 0)
}

function run(node: TallyNode, id: string, script: string) {
  return node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, '--', 'sh', '-c', script)
}

it.concurrent('a full disk under nats-server: what needs it is refused with the reason, and all goes on by itself when there is room again', async () => {
  await using node = await startNode({up: false})
  await using _disk = mountDisk(node.stateDir, '24m')
  const filler = join(node.stateDir, 'filler')
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0, stderr: ''})
  expect(await run(node, 'a', 'trap : USR1; while :; do sleep 0.1; done')).toMatchObject({exitCode: 0, stderr: ''})
  const before = await node.info()
  fill(filler)
  // Accepted while the last page of the journal has room; in any case both are answered.
  for (const _ of [1, 2]) expect((await node.tally('kill', '-s', 'USR1', 'a')).exitCode).toBeLessThan(2)

  await eventually('it is known', async () => (await node.tally('info')).stdout.includes('no room'))
  expect(await node.info()).toMatchObject({coordinatorPid: before.coordinatorPid, containers: {running: 1}})
  expect(await run(node, 'b', 'true')).toMatchObject(refused)
  // The journals say it.
  expect(await node.tally('ps')).toMatchObject({exitCode: 0, stdout: expect.stringMatching(/\ba\b.*Up/)})
  // The last one that is accepted has no room for its outcome, so that its reply does not wait for that.
  await eventually('it is refused', async () => (await node.tally('kill', '-s', 'USR1', 'a')).exitCode !== 0)
  expect((await node.tally('kill', '-s', 'USR1', 'a')).stderr).toMatch(/no space left on device.*\[JOURNAL_WRITE_FAILED\]/i)
  expect((await node.tally('events', '--no-follow')).stderr).toMatch(/\[JETSTREAM_UNAVAILABLE\]/)

  rmSync(filler)
  await returns(() => node.tally('events', '--no-follow'))
  expect((await node.tally('ps')).stdout).toMatch(/\ba\b.*Up/)
  expect(await run(node, 'b', 'exit 3')).toMatchObject({exitCode: 0, stderr: ''})
  expect((await node.tally('wait', 'b')).stdout).toBe('3\n')
  await eventually('all is published', async () => (await node.events('a')).length === node.journal('a').length)
  expect((await node.events('a')).map(({sequence}) => sequence)).toEqual(node.journal('a').map((_, index) => index + 1))
  expect(await node.info()).toMatchObject({coordinatorPid: before.coordinatorPid, natsUrl: before.natsUrl})

  // Too short for the full disk to be seen: the server alone knows that it could not write.
  fill(filler)
  await node.tally('kill', '-s', 'USR1', 'a')
  rmSync(filler)
  await returns(() => node.tally('run', '--rm', '--rootfs', node.rootfs, '--', 'true'))
  expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0})
})

it.concurrent('a node is brought up on a disk that has become full, and goes on when there is room', async () => {
  await using node = await startNode({up: false})
  await using _disk = mountDisk(node.stateDir, '24m')
  const filler = join(node.stateDir, 'filler')
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0, stderr: ''})
  expect(await run(node, 'a', 'sleep 1000')).toMatchObject({exitCode: 0, stderr: ''})
  for (const end of ['kill', 'down']) {
    // Not even a line of the coordinator's log has room in the last page of that.
    const log = join(node.stateDir, 'coordinator.log')
    appendFileSync(log, ' '.repeat(pageBytes - (statSync(log).size % pageBytes)))
    // Before the disk is full: then nats-server is started again, without JetStream.
    const info = await node.info()
    fill(filler)
    if (end === 'kill') killNode(info)
    else expect(await node.tally('down')).toMatchObject({exitCode: 0})
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
    expect(await run(node, 'b', 'true')).toMatchObject(refused)
    rmSync(filler)
    await returns(() => node.tally('events', '--no-follow'))
  }
  expect((await node.json<ContainerView>('inspect', 'a')).state).toBe('running')
  expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0})
})

it.concurrent('a coordinator that is killed between the end of nats-server and its start without JetStream is replaced by one that starts it', async () => {
  await using node = await startNode({up: false})
  await using _disk = mountDisk(node.stateDir, '24m')
  const filler = join(node.stateDir, 'filler')
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0, stderr: ''})
  expect(await run(node, 'a', 'sleep 1000')).toMatchObject({exitCode: 0, stderr: ''})
  const info = await node.info()
  const {natsPid} = info
  const server = readProcessIdentity(natsPid ?? 0)
  if (!server) throw new Error('the node has no nats-server')
  fill(filler)
  // The disk stays full, though a temporary file of the node may be removed meanwhile.
  for (const giveUpAt = Date.now() + 60_000; isAlive(server) && Date.now() < giveUpAt; await sleep(1)) fill(filler)
  killNode(info)

  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
  expect((await node.info()).natsPid).not.toBe(natsPid)
  expect(await run(node, 'b', 'true')).toMatchObject(refused)
  rmSync(filler)
  await returns(() => node.tally('events', '--no-follow'))
  expect((await node.json<ContainerView>('inspect', 'a')).state).toBe('running')
  expect(await run(node, 'b', 'exit 3')).toMatchObject({exitCode: 0, stderr: ''})
  expect((await node.tally('wait', 'b')).stdout).toBe('3\n')
  expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0})
})

it.concurrent('a container whose output has filled the disk can be deleted, and so can another, and then there is room', async () => {
  await using node = await startNode({up: false})
  await using _disk = mountDisk(node.stateDir, '24m')
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0, stderr: ''})
  expect(await run(node, 'small', 'sleep 1000')).toMatchObject({exitCode: 0, stderr: ''})
  expect(await run(node, 'flood', 'yes')).toMatchObject({exitCode: 0, stderr: ''})
  await eventually('output has taken what it may', () => freeBytes(node.stateDir) < 1.5 * 1024 * 1024)
  // Output leaves room for events.
  expect(await node.tally('kill', '-s', 'URG', 'small')).toMatchObject({exitCode: 0, stderr: ''})
  const filler = join(node.stateDir, 'filler')
  fill(filler)
  // The reserve is enough for an end that frees nothing.
  expect(await node.tally('rm', '-f', 'small')).toMatchObject({exitCode: 0, stderr: expect.not.stringContaining('[')})
  fill(filler)
  // Its server may be about to be started again.
  await returns(() => node.tally('rm', '-f', 'flood'))
  await returns(() => node.tally('events', '--no-follow'))
  expect((await node.events('flood')).slice(-2)).toMatchObject([{type: 'container.exited'}, {type: 'container.deleted'}])
  rmSync(filler)
  await eventually('there is a reserve again', () => existsSync(join(node.stateDir, 'reserve')))
  expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0})
})

function freeBytes(dir: string): number {
  const {bfree, bsize} = statfsSync(dir)
  return bfree * bsize
}
