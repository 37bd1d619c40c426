import {existsSync, writeFileSync} from 'node:fs'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {ContainerView} from '../../machines/view.ts'
import {eventually, startNode, type TallyNode} from '../support/tally-node.ts'

let node: TallyNode
beforeAll(async () => {
  node = await startNode()
})
afterAll(async () => {
  await node[Symbol.asyncDispose]()
})

function run(id: string, flags: readonly string[], ...command: readonly string[]) {
  return node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, ...flags, '--', ...command)
}

async function typesOf(id: string): Promise<readonly string[]> {
  return (await node.events(id)).map(({type}) => type)
}

/** Without a newline tail keeps all that it has read. */
const greedy = ['tail', '/dev/zero']

describe('a container that wants more memory than it may have', () => {
  it('is killed; the ledger says why before it says that, and ps and inspect say so too', async () => {
    expect(await run('hungry', ['--memory', '32m'], ...greedy)).toMatchObject({exitCode: 0})
    expect((await node.tally('wait', 'hungry')).stdout).toBe('137\n')
    const events = await node.events('hungry')
    expect(events.map(({type}) => type).slice(2)).toEqual([
      'container.start-requested',
      'container.started',
      'container.oom',
      'container.exited',
    ])
    expect(events.at(-2)?.data).toEqual({cgroup: expect.stringMatching(/^\/sys\/fs\/cgroup\/.*tally-default-hungry-/), killed: 1})
    expect(events.at(-1)?.data).toMatchObject({exit: {type: 'signal', signal: 'SIGKILL'}, oomKilled: true})
    expect((await node.tally('ps', '-a')).stdout).toMatch(/hungry .*Exited \(SIGKILL, OOM\)/)
    expect(await node.json('inspect', 'hungry')).toMatchObject({oomKilled: true, oomKills: 1})
    await node.tally('rm', 'hungry')
  })

  it('in memory that is a file is killed as well', async () => {
    const fill = 'dd if=/dev/zero of=/dev/shm/fill bs=1M count=64'
    expect(await run('filling', ['--memory', '32m'], 'sh', '-c', `exec ${fill}`)).toMatchObject({exitCode: 0})
    expect((await node.tally('wait', 'filling')).stdout).toBe('137\n')
    expect(await node.json('inspect', 'filling')).toMatchObject({oomKilled: true})
    await node.tally('rm', 'filling')
  })

  it('is told of within seconds when init lives on, whose own end is then no want of memory', async () => {
    const script = 'tail /dev/zero; echo "child $?"; while true; do sleep 0.05; done'
    await run('parent', ['--memory', '32m'], 'sh', '-c', script)
    await eventually('the event', async () => (await typesOf('parent')).includes('container.oom'), 5_000)
    expect((await node.tally('logs', 'parent')).stdout).toBe('child 137\n')
    expect((await node.tally('ps')).stdout).toMatch(/parent .*Up .*, OOM killed 1/)
    await node.tally('kill', 'parent')
    await node.tally('wait', 'parent')
    const view = await node.json<ContainerView>('inspect', 'parent')
    expect(view).toMatchObject({state: 'stopped', oomKills: 1, oomKilled: false})
    await node.tally('rm', 'parent')
  })

  it('is told of when init is killed at once after that, which is not taken for a want of memory', async () => {
    await run('quick', ['--memory', '32m'], 'sh', '-c', 'tail /dev/zero; echo ready; while true; do sleep 0.05; done')
    await eventually('the child is gone', async () => (await node.tally('logs', 'quick')).stdout === 'ready\n')
    await node.tally('rm', '-f', 'quick')
    const events = await node.events('quick')
    expect(events.map(({type}) => type).filter((type) => /oom|exited/.test(type))).toEqual(['container.oom', 'container.exited'])
    expect(events.find(({type}) => type === 'container.exited')?.data).not.toHaveProperty('oomKilled')
  })

  it('has what happened while it had no supervisor told by the next one', async () => {
    const script = 'while [ ! -e /tmp/go ]; do sleep 0.05; done; rm /tmp/go; tail /dev/zero; while true; do sleep 0.05; done'
    await run('orphan', ['--memory', '32m', '--tmpfs', '/tmp'], 'sh', '-c', script)
    const {supervisorPid, pid} = await node.json<ContainerView>('inspect', 'orphan')
    const go = `/proc/${pid}/root/tmp/go`
    process.kill(supervisorPid ?? 0, 'SIGSTOP')
    writeFileSync(go, '')
    await eventually('the child began', () => !existsSync(go))
    await new Promise((resolve) => setTimeout(resolve, 500))
    process.kill(supervisorPid ?? 0, 'SIGKILL')
    await eventually('the event', async () => (await typesOf('orphan')).includes('container.oom'))
    expect((await typesOf('orphan')).slice(4)).toEqual(['supervisor.adopted', 'container.oom'])
    await node.tally('rm', '-f', 'orphan')
  })
})
