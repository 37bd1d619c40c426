import {execFileSync} from 'node:child_process'
import {rmSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {isAlive, readProcessIdentity, readProcessStat} from '../../src/linux/process-table.ts'
import {findSupervisor} from '../support/find-supervisor.ts'
import {startNatsServer} from '../support/nats-server.ts'
import {sendSignal} from '../support/send-signal.ts'
import {fill, mountDisk} from '../support/small-disk.ts'
import {eventually, startNode} from '../support/tally-node.ts'

it.concurrent('a full disk: commands are refused, containers run on, no exit is lost, and all goes on when there is room again', async () => {
  await using nats = await startNatsServer()
  await using node = await startNode({up: false})
  await using _disk = mountDisk(node.stateDir)
  const filler = join(node.stateDir, 'filler')
  Object.assign(node.env, {TALLY_PASSWORD: nats.credentials.password})
  expect(await node.tally('up', '-d', '--nats', nats.url, '--user', nats.credentials.user)).toMatchObject({exitCode: 0, stderr: ''})
  const run = (id: string, script: string) => node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, '--', 'sh', '-c', script)
  expect(await run('stays', "trap 'exit 9' TERM; while :; do sleep 0.05; done")).toMatchObject({exitCode: 0, stderr: ''})
  expect(await run('ends', 'until [ -e /tmp/go ]; do sleep 0.05; done; exit 7')).toMatchObject({exitCode: 0, stderr: ''})
  const {pid: stays = 0} = await node.json<ContainerView>('inspect', 'stays')
  const {pid: ends = 0} = await node.json<ContainerView>('inspect', 'ends')
  const identity = readProcessIdentity(stays)

  fill(filler)
  // The last page of a file has room for some more.
  for (const id of ['stays', 'ends'])
    await eventually('it is refused', async () => (await node.tally('kill', '-s', 'WINCH', id)).exitCode !== 0)
  const refused = {exitCode: 1, stderr: expect.stringMatching(/no space left on device.*\[JOURNAL_WRITE_FAILED\]/i)}
  expect(await node.tally('pause', 'stays')).toMatchObject(refused)
  expect((await run('another', 'true')).stderr).toMatch(/no space left on device.*\[[A-Z_]+\]/i)
  execFileSync('touch', [`/proc/${ends}/root/tmp/go`])
  await eventually('it has ended', () => readProcessStat(ends)?.isZombie === true)
  expect(identity && isAlive(identity)).toBe(true)
  expect((await node.json<ContainerView>('inspect', 'ends')).state).toBe('running')

  rmSync(filler)
  expect((await node.tally('wait', 'ends')).stdout).toBe('7\n')
  expect((await node.events('ends')).at(-1)).toMatchObject({data: {exit: {type: 'code', code: 7}, source: 'waitid'}})
  expect(await node.tally('stop', 'stays')).toMatchObject({exitCode: 0})
  expect((await node.tally('wait', 'stays')).stdout).toBe('9\n')
  for (const id of ['stays', 'ends'])
    expect((await node.events(id)).map(({sequence}) => sequence)).toEqual(node.journal(id).map((_, index) => index + 1))
  expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0})
})

it.concurrent('a full run directory: nothing new is begun, and what runs goes on, under the next supervisor as well', async () => {
  await using node = await startNode({up: false})
  await using _disk = mountDisk(node.runDir)
  const filler = join(node.runDir, 'filler')
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0, stderr: ''})
  const run = (id: string, script: string, ...options: readonly string[]) =>
    node.tally('run', '-d', ...options, '--name', id, '--rootfs', node.rootfs, '--', 'sh', '-c', script)
  const counting = 'i=0; until [ -e /tmp/go ]; do i=$((i + 1)); echo $i; sleep 0.02; done'
  expect(await run('ends', `${counting}; exit 7`)).toMatchObject({exitCode: 0, stderr: ''})
  expect(await run('goes', `${counting}; exit 6`, '--rm')).toMatchObject({exitCode: 0, stderr: ''})
  expect(await run('fed', 'cat; exit 5', '-i')).toMatchObject({exitCode: 0, stderr: ''})
  fill(filler)

  expect((await run('another', 'true')).stderr).toMatch(/\[(RUNC_CREATE_FAILED|HOST_EXHAUSTED|STDIO_FAILED)\]/)
  const refused = {exitCode: 125, stderr: expect.stringMatching(/no space left on device.*\[HOST_EXHAUSTED\]/)}
  expect(await node.tally('exec', 'ends', 'true')).toMatchObject(refused)
  for (const id of ['ends', 'goes', 'fed']) sendSignal(findSupervisor(node, id), 'SIGKILL')
  for (const id of ['ends', 'goes', 'fed'])
    await eventually('it has another', async () => (await node.events(id)).some(({type}) => type === 'supervisor.adopted'))
  const feeding = node.spawn('attach', 'fed')
  feeding.stdin.end('one\ntwo\n')
  expect(await feeding).toMatchObject({exitCode: 5, stdout: 'one\ntwo'})
  const waiting = node.spawn('wait', 'goes')
  for (const id of ['ends', 'goes']) execFileSync('touch', [`/proc/${(await node.json<ContainerView>('inspect', id)).pid}/root/tmp/go`])
  expect((await waiting).stdout).toBe('6')
  expect((await node.tally('wait', 'ends')).stdout).toBe('7\n')
  const lines = (await node.tally('logs', 'ends')).stdout.trimEnd().split('\n').map(Number)
  expect(lines).toEqual(lines.map((_, index) => index + 1))
  await eventually('it has removed itself', async () => (await node.events('goes')).at(-1)?.type === 'container.deleted')

  rmSync(filler)
  expect(await run('another', 'exit 4')).toMatchObject({exitCode: 0, stderr: ''})
  expect((await node.tally('wait', 'another')).stdout).toBe('4\n')
  expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0})
})
