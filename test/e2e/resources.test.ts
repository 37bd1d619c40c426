import {appendFileSync, existsSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {describe, expect, it} from 'vitest'
import {eventSchemas} from '../../machines/ledger/events.ts'
import type {TopReply} from '../../machines/views/top.ts'
import type {StatsReply} from '../../machines/views/stats.ts'
import {connectTally} from '../../src/client/index.ts'
import type {ContainerView} from '../../machines/views/view.ts'
import {readProcessStat} from '../../src/linux/process-table.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()

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

  it('is reported when init lives on, whose own exit is then not counted as out of memory', async () => {
    const script = 'tail /dev/zero; echo "child $?"; while true; do sleep 0.05; done'
    await run('parent', ['--memory', '32m'], 'sh', '-c', script)
    await eventually('the event', async () => (await typesOf('parent')).includes('container.oom'))
    expect((await node.tally('logs', 'parent')).stdout).toBe('child 137\n')
    expect((await node.tally('ps')).stdout).toMatch(/parent .*Up .*, OOM killed 1/)
    await node.tally('kill', 'parent')
    await node.tally('wait', 'parent')
    const view = await node.json<ContainerView>('inspect', 'parent')
    expect(view).toMatchObject({state: 'stopped', oomKills: 1, oomKilled: false})
    await node.tally('rm', 'parent')
  })

  it('is reported when init is killed at once after that, which is not counted as out of memory', async () => {
    await run('quick', ['--memory', '32m'], 'sh', '-c', 'tail /dev/zero; echo ready; while true; do sleep 0.05; done')
    await eventually('the child is gone', async () => (await node.tally('logs', 'quick')).stdout === 'ready\n')
    await node.tally('rm', '-f', 'quick')
    const events = await node.events('quick')
    expect(events.map(({type}) => type).filter((type) => /oom|exited/.test(type))).toEqual(['container.oom', 'container.exited'])
    expect(events.find(({type}) => type === 'container.exited')?.data).not.toHaveProperty('oomKilled')
  })

  it('is reported again for each restart, whose groups count from 0', async () => {
    const restart = ['--memory', '32m', '--restart', 'on-failure:2']
    await run('again', restart, 'tail', '/dev/zero')
    await eventually('given up', async () => (await typesOf('again')).includes('container.restart-gave-up'))
    const events = (await node.events('again')).filter(({type}) => type === 'container.oom' || type === 'container.exited')
    expect(events.map(({type}) => type)).toEqual(Array(3).fill(['container.oom', 'container.exited']).flat())
    for (const event of events) if (event.type === 'container.oom') expect(event.data.killed).toBe(1)
    for (const event of events) if (event.type === 'container.exited') expect(event.data.oomKilled).toBe(true)
    await node.tally('rm', 'again')
  })

  it('is reported by the next supervisor when it happened without one', async () => {
    const script = 'while [ ! -e /tmp/go ]; do sleep 0.05; done; rm /tmp/go; tail /dev/zero; while true; do sleep 0.05; done'
    await run('orphan', ['--memory', '32m', '--tmpfs', '/tmp'], 'sh', '-c', script)
    const {supervisorPid, pid} = await node.json<ContainerView>('inspect', 'orphan')
    const go = `/proc/${pid}/root/tmp/go`
    sendSignal(supervisorPid, 'SIGSTOP')
    writeFileSync(go, '')
    await eventually('the child began', () => !existsSync(go))
    await sleep(500)
    sendSignal(supervisorPid, 'SIGKILL')
    await eventually('the event', async () => (await typesOf('orphan')).includes('container.oom'))
    expect((await typesOf('orphan')).slice(4)).toEqual(['supervisor.adopted', 'container.oom'])
    await node.tally('rm', '-f', 'orphan')
  })
})

describe('stats', () => {
  it('shows what a container uses, in a table and as JSON', async () => {
    const script = 'dd if=/dev/zero of=/dev/shm/fill bs=1M count=8 2>/dev/null; while true; do :; done'
    await run('spinning', ['--memory', '64m', '--cpus', '0.5', '--pids-limit', '50'], 'sh', '-c', script)
    await eventually('it spins', async () => {
      const sample = await node.json<StatsReply>('stats', '--no-stream', 'spinning')
      return (sample.cpu?.throttledPeriods ?? 0) > 0
    })
    const sample = await node.json<StatsReply & {readonly id: string; readonly cpuPercent: number}>('stats', '--no-stream', 'spinning')
    expect(sample).toMatchObject({
      id: 'spinning',
      state: 'running',
      cpu: {usageNs: expect.any(Number), userNs: expect.any(Number), systemNs: expect.any(Number)},
      memory: {limitBytes: 64 * 1024 ** 2, oomKills: 0, anonBytes: expect.any(Number)},
      pids: {current: 1, limit: 50},
    })
    expect(sample.memory?.usageBytes).toBeGreaterThan(8 * 1024 ** 2)
    expect(sample.memory?.workingSetBytes).toBeGreaterThan(8 * 1024 ** 2)
    expect(sample.memory?.fileBytes).toBeGreaterThanOrEqual(8 * 1024 ** 2)
    // Half a CPU at most; less when the machine is busy.
    expect(sample.cpuPercent).toBeGreaterThan(5)
    expect(sample.cpuPercent).toBeLessThan(75)
    const {stdout} = await node.tally('stats', '--no-stream')
    expect(stdout).toMatch(
      /^CONTAINER +CPU % +MEM USAGE \/ LIMIT +MEM % +BLOCK I\/O +PIDS\nspinning +[\d.]+% +[\d.]+MiB \/ 64MiB +[\d.]+% .* 1\n$/,
    )
    await node.tally('rm', '-f', 'spinning')
  })

  it('follows, a sample a second, until the container has stopped', async () => {
    await run('brief', [], 'sh', '-c', 'sleep 3')
    const {stdout} = await node.tally('stats', '--json', 'brief')
    const samples = stdout
      .trimEnd()
      .split('\n')
      .map((line): StatsReply => JSON.parse(line))
    expect(samples.length).toBeGreaterThanOrEqual(3)
    expect(samples.length).toBeLessThanOrEqual(6)
    expect(samples.map(({state}) => state)).toEqual([...samples.slice(1).map(() => 'running'), 'stopped'])
    await node.tally('rm', 'brief')
    expect(await node.tally('stats', 'brief')).toMatchObject({exitCode: 1, stderr: expect.stringContaining('CONTAINER_NOT_FOUND')})
  })

  it('is published only while a client asks for it', async () => {
    await run('heard', [], 'sleep', '1000')
    await using client = await connectTally({runDir: node.runDir})
    const container = client.container('heard')
    let heard = 0
    client.connection.subscribe(client.subjects.stats(container.address), {
      callback: () => {
        heard += 1
      },
    })
    await container.stats()
    await sleep(1_500)
    expect(heard).toBe(0)
    await container.stats({watchMs: 2_500})
    await eventually('samples', () => heard > 0)
    await sleep(3_000)
    const before = heard
    expect(before).toBeLessThanOrEqual(3)
    await sleep(1_500)
    expect(heard).toBe(before)
    await node.tally('rm', '-f', 'heard')
  })
})

describe('top', () => {
  it('lists the processes of a container, init first, and none when it has stopped', async () => {
    await run('family', ['--user', 'nobody'], 'sh', '-c', 'sleep 1000 & sleep 2000 & wait')
    const list = () => node.json<TopReply['processes']>('top', 'family')
    await eventually('three', async () => (await list()).length === 3)
    const {pid, supervisorPid} = await node.json<ContainerView>('inspect', 'family')
    const [init, ...others] = await list()
    expect(init).toMatchObject({
      pid,
      // Its shim.
      parentPid: readProcessStat(supervisorPid ?? 0)?.parentPid,
      pidInContainer: 1,
      init: true,
      uid: 65534,
      user: 'nobody',
      args: ['sh', '-c', expect.any(String)],
    })
    expect(others.map(({parentPid, args, init: isInit}) => ({parentPid, args: args.join(' '), isInit}))).toEqual([
      {parentPid: pid, args: 'sleep 1000', isInit: false},
      {parentPid: pid, args: 'sleep 2000', isInit: false},
    ])
    expect(Math.abs(Date.parse(init?.startedAt ?? '') - Date.now())).toBeLessThan(60_000)
    expect((await node.tally('top', 'family')).stdout).toMatch(
      /^PID +PPID +USER +STATE +CPU TIME +STARTED +ROLE +COMMAND\n\d+ +\d+ +nobody +S +00:00\.\d\d +\d+ seconds? ago +init +sh -c .*\n/,
    )
    await node.tally('stop', '-t', '0', 'family')
    expect(await list()).toEqual([])
    await node.tally('rm', 'family')
  })
})

describe('update', () => {
  const limitsOf = async (id: string) => {
    const {memory, pids} = await node.json<StatsReply>('stats', '--no-stream', id)
    return {memoryBytes: memory?.limitBytes, pidsLimit: pids?.limit}
  }

  /** Of memory and swap together, on a host that accounts for swap. */
  const swapLimitOf = async (id: string) => {
    const created = (await node.events(id)).find(({type}) => type === 'container.created')
    const {cgroups} = eventSchemas['container.created'].parse(created?.data)
    const read = (name: string) =>
      cgroups.map((cgroup) => join(cgroup, name)).flatMap((file) => (existsSync(file) ? [readFileSync(file, 'utf8')] : []))
    const [both] = read('memory.memsw.limit_in_bytes')
    if (both !== undefined) return Number(both)
    const [memory, swap] = [...read('memory.max'), ...read('memory.swap.max')]
    return Number(memory) + Number(swap)
  }

  it('changes limits, each alone, and lifts them, whatever the container does', async () => {
    await run('changed', ['--memory', '32m'], 'sleep', '1000')
    expect(await node.tally('update', '--memory', '64m', '--pids-limit', '20', '--cpus', '0.5', 'changed')).toMatchObject({
      exitCode: 0,
      stdout: 'changed\n',
    })
    expect(await limitsOf('changed')).toEqual({memoryBytes: 64 * 1024 ** 2, pidsLimit: 20})
    expect(await swapLimitOf('changed')).toBe(64 * 1024 ** 2)
    expect(await node.tally('update', '--memory-swap', '96m', 'changed')).toMatchObject({exitCode: 0})
    expect(await swapLimitOf('changed')).toBe(96 * 1024 ** 2)
    await node.tally('pause', 'changed')
    expect(await node.tally('update', '--pids-limit', '-1', '--cpu-shares', '512', '--cpuset-cpus', '0', 'changed')).toMatchObject({
      exitCode: 0,
    })
    expect((await node.tally('ps')).stdout).toMatch(/changed .*\(Paused\)/)
    await node.tally('resume', 'changed')
    expect(await limitsOf('changed')).toEqual({memoryBytes: 64 * 1024 ** 2, pidsLimit: undefined})
    expect((await node.json<ContainerView>('inspect', 'changed')).limits).toEqual({
      memoryBytes: 64 * 1024 ** 2,
      memorySwapBytes: 96 * 1024 ** 2,
      cpus: 0.5,
      cpuShares: 512,
      cpusetCpus: '0',
      pidsLimit: null,
    })
    expect(await node.tally('update', '--memory', '-1', '--memory-swap', '-1', 'changed')).toMatchObject({exitCode: 0})
    expect((await limitsOf('changed')).memoryBytes).toBeUndefined()
    await node.tally('rm', '-f', 'changed')
  })

  it('is refused with the reason when the kernel refuses it, when it is empty, and when the container has ended', async () => {
    await run('stubborn', ['--tmpfs', '/full'], 'sleep', '1000')
    // Memory that cannot be taken back: v1 refuses, v2 would kill.
    await node.tally('exec', 'stubborn', 'dd', 'if=/dev/zero', 'of=/full/x', 'bs=1M', 'count=24')
    expect((await node.tally('update', '--memory', '8m', 'stubborn')).stderr).toMatch(/8388608.* \[RUNC_UPDATE_FAILED\]\n$/)
    expect((await node.tally('exec', 'stubborn', 'ls', '/full')).stdout).toBe('x\n')
    expect((await node.tally('update', 'stubborn')).stderr).toMatch(/expected a limit to change.* \[INVALID_ARGUMENT\]/)
    expect((await node.tally('update', '--cpuset-cpus', 'all', 'stubborn')).stderr).toMatch(
      /expected CPUs such as 0-2,4.* \[INVALID_REQUEST\]/,
    )
    expect((await node.tally('update', '--memory', '64m', '--memory-swap', '32m', 'stubborn')).stderr).toMatch(/\[INVALID_REQUEST\]/)
    expect((await node.json<ContainerView>('inspect', 'stubborn')).limits).toBeUndefined()
    await node.tally('stop', '-t', '0', 'stubborn')
    expect((await node.tally('update', '--pids-limit', '5', 'stubborn')).stderr).toBe(
      'tally: cannot update a container that is stopped; legal now: delete [ILLEGAL_COMMAND]\n',
    )
    await node.tally('rm', 'stubborn')
  })

  it('of several at once, with an end in between, is carried out one after the other, and the exit is the last event', async () => {
    await node.tally('create', '--name', 'busy', '--rootfs', node.rootfs, '--', 'sleep', '1000')
    await using client = await connectTally({runDir: node.runDir})
    const container = client.container('busy')
    const asked = [
      container.update({pidsLimit: 10}),
      container.update({pidsLimit: 20}),
      container.start(),
      container.update({pidsLimit: 30}),
      container.kill('SIGKILL'),
      container.update({pidsLimit: 40}),
    ]
    const settled = await Promise.allSettled(asked)
    expect(settled.slice(0, 5).map(({status}) => status)).toEqual(Array.from({length: 5}, () => 'fulfilled'))
    await container.wait()
    const types = await typesOf('busy')
    expect(types.slice(2, 11)).toEqual([
      'container.update-requested',
      'container.updated',
      'container.update-requested',
      'container.updated',
      'container.start-requested',
      'container.started',
      'container.update-requested',
      'container.updated',
      'container.kill-requested',
    ])
    // The last one met a container that was ending, or had ended.
    expect(types.at(-1)).toBe('container.exited')
    expect(types.filter((type) => type === 'container.update-requested')).toHaveLength(
      types.filter((type) => type === 'container.updated' || type === 'container.update-failed').length,
    )
    await node.tally('rm', 'busy')
  })

  it('that was in flight when the supervisor was killed is carried out by the next one', async () => {
    await run('resumed', ['--pids-limit', '10'], 'sleep', '1000')
    const {supervisorPid} = await node.json<ContainerView>('inspect', 'resumed')
    // Journaled as the old supervisor would have done just before it was killed.
    const [line = ''] = node.journal('resumed').slice(-1)
    const last = JSON.parse(line)
    const request = {
      ...last,
      id: `${last.id.split(':')[0]}:5`,
      sequence: 5,
      type: 'io.tallyman.container.update-requested',
      data: {limits: {pidsLimit: 33}},
    }
    delete request.causationid
    sendSignal(supervisorPid, 'SIGSTOP')
    appendFileSync(join(node.stateDir, 'containers/default/resumed/journal.jsonl'), `${JSON.stringify(request)}\n`)
    sendSignal(supervisorPid, 'SIGKILL')
    await eventually('the outcome', async () => (await typesOf('resumed')).includes('container.updated'))
    expect((await typesOf('resumed')).slice(4)).toEqual(['container.update-requested', 'supervisor.adopted', 'container.updated'])
    expect((await limitsOf('resumed')).pidsLimit).toBe(33)
    await node.tally('rm', '-f', 'resumed')
  })
})
