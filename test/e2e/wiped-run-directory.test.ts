import {execFileSync} from 'node:child_process'
import {existsSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {findSupervisor} from '../support/find-supervisor.ts'
import {killNode} from '../support/kill-node.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, type TallyNode} from '../support/tally-node.ts'

const counting = 'i=0; until [ -e /tmp/go ]; do i=$((i + 1)); echo $i; sleep 0.02; done; exit 7'

function run(node: TallyNode, id: string, script: string, ...options: readonly string[]) {
  return node.tally('run', '-d', ...options, '--name', id, '--rootfs', node.rootfs, '--', 'sh', '-c', script)
}

async function readNumbers(node: TallyNode, id: string): Promise<readonly number[]> {
  return (await node.tally('logs', id)).stdout.trimEnd().split('\n').map(Number)
}

/** It goes on, and none was lost. */
async function expectToCount(node: TallyNode, id: string): Promise<void> {
  const before = (await readNumbers(node, id)).length
  await eventually('it counts on', async () => (await readNumbers(node, id)).length > before + 10)
  const lines = await readNumbers(node, id)
  expect(lines).toEqual(lines.map((_, index) => index + 1))
}

it('a run directory that is wiped under a running node is put back, and containers and their output live', async () => {
  await using node = await startNode()
  expect(await run(node, 'counts', counting)).toMatchObject({exitCode: 0, stderr: ''})
  expect(await run(node, 'fed', 'cat; exit 5', '-i')).toMatchObject({exitCode: 0, stderr: ''})
  const before = await node.info()
  rmSync(node.runDir, {recursive: true})

  // A command that comes at once waits for it.
  expect(await node.tally('ps')).toMatchObject({exitCode: 0, stdout: expect.stringMatching(/\bcounts\b/)})
  expect(await node.info()).toMatchObject({coordinatorPid: before.coordinatorPid, natsPid: before.natsPid, containers: {running: 2}})
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 1, stderr: expect.stringMatching(/pid \d+.*\[NODE_RUNNING\]/)})
  await expectToCount(node, 'counts')
  await eventually('a process is added', async () => (await node.tally('exec', 'counts', 'echo', 'hello')).stdout === 'hello\n')
  expect(await node.tally('pause', 'counts')).toMatchObject({exitCode: 0, stderr: ''})
  expect(await node.tally('resume', 'counts')).toMatchObject({exitCode: 0, stderr: ''})
  expect(await run(node, 'another', 'exit 4')).toMatchObject({exitCode: 0, stderr: ''})
  expect((await node.tally('wait', 'another')).stdout).toBe('4\n')

  // The next supervisors find what the first had.
  for (const id of ['counts', 'fed']) sendSignal(findSupervisor(node, id), 'SIGKILL')
  for (const id of ['counts', 'fed'])
    await eventually('it has another', async () => (await node.events(id)).some(({type}) => type === 'supervisor.adopted'))
  await expectToCount(node, 'counts')
  const feeding = node.spawn('attach', 'fed')
  feeding.stdin.end('one\ntwo\n')
  expect(await feeding).toMatchObject({exitCode: 5, stdout: 'one\ntwo'})
  const {pid} = await node.json<ContainerView>('inspect', 'counts')
  execFileSync('touch', [`/proc/${pid}/root/tmp/go`])
  expect((await node.tally('wait', 'counts')).stdout).toBe('7\n')
  expect(await node.tally('start', 'another')).toMatchObject({exitCode: 1})
  expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0, stdout: 'ended\n'})
})

it('a node whose run directory has been wiped is ended by down, and brought up again', async () => {
  await using node = await startNode()
  expect(await run(node, 'counts', counting)).toMatchObject({exitCode: 0, stderr: ''})
  rmSync(node.runDir, {recursive: true})
  expect(await node.tally('down')).toMatchObject({exitCode: 0, stdout: 'ended\n', stderr: ''})

  rmSync(node.runDir, {recursive: true, force: true})
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0, stderr: ''})
  await expectToCount(node, 'counts')
  expect((await node.tally('exec', 'counts', 'echo', 'hello')).stdout).toBe('hello\n')

  killNode(await node.info())
  rmSync(node.runDir, {recursive: true})
  expect(await node.tally('ps')).toMatchObject({exitCode: 1, stderr: expect.stringMatching(/tally up.*\[NODE_NOT_RUNNING\]/)})
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0, stderr: ''})
  await expectToCount(node, 'counts')

  rmSync(node.runDir, {recursive: true})
  expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0, stdout: 'ended\n', stderr: ''})
})

it('a coordinator that is killed while it puts the run directory back is replaced by one that puts all of it back', async () => {
  await using node = await startNode()
  const ids = ['counts', 'second', 'third']
  for (const id of ids) expect(await run(node, id, counting)).toMatchObject({exitCode: 0, stderr: ''})
  for (const missing of ['io', 'io/stdout', 'io/stderr', 'io/stdin']) {
    const info = await node.info()
    rmSync(node.runDir, {recursive: true})
    const giveUpAt = Date.now() + 20_000
    while (!ids.some((id) => existsSync(join(node.runDir, 'containers/default', id))) && Date.now() < giveUpAt)
      await new Promise(setImmediate)
    killNode(info)
    // However far it came: the file that the next coordinator finds missing is one that it would have made next.
    rmSync(join(node.runDir, 'containers/default/counts', missing), {recursive: true, force: true})
    rmSync(join(node.runDir, 'connection.json'), {force: true})

    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0, stderr: ''})
    for (const id of ids) {
      sendSignal(findSupervisor(node, id), 'SIGKILL')
      await eventually('it has another', async () => (await node.tally('inspect', id)).exitCode === 0)
      await eventually('a process is added', async () => (await node.tally('exec', id, 'echo', 'hello')).stdout === 'hello\n')
    }
    await expectToCount(node, 'counts')
  }
  expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0, stdout: 'ended\n'})
})

it('a coordinator that does not answer is named, and ended by down', async () => {
  await using node = await startNode()
  const {coordinatorPid, natsPid} = await node.info()
  sendSignal(coordinatorPid, 'SIGSTOP')
  sendSignal(natsPid, 'SIGKILL')
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 1, stderr: expect.stringContaining(`pid ${coordinatorPid}`)})
  const ending = node.spawn('down')
  setTimeout(() => sendSignal(coordinatorPid, 'SIGCONT'), 3_000)
  expect(await ending).toMatchObject({exitCode: 0})
  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0, stderr: ''})
})
