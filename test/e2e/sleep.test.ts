/** Supervisors with nothing to do end, and nobody notices but the host's memory. */
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {describe, expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {connectTally} from '../../src/client/index.ts'
import {createInputSender} from '../../src/client/send-input.ts'
import {connectShimControl} from '../../src/shim/client/control.ts'
import {findSupervisor} from '../support/find-supervisor.ts'
import {killNode} from '../support/kill-node.ts'
import {readProcFile} from '../support/proc.ts'
import {sendSignal} from '../support/send-signal.ts'
import {createSleepWatch} from '../support/sleep-watch.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode({args: ['--sleep-after', '200ms']})

const {status, fallsAsleep, comesToRest, run} = createSleepWatch(node)
const readEvents = async (id: string) => (await node.events(id)).map(({type}) => type)

describe('a container whose supervisor sleeps', () => {
  it('is answered for by reading, which wakes nobody', async () => {
    await run('read', [], 'sh', '-c', 'echo hello; exec sleep 600')
    await fallsAsleep('read')
    const before = await status('read')
    expect(before).toMatchObject({pid: undefined, watched: 1, ended: 0, stdios: 1, deaths: 0})
    expect((await node.tally('ps')).stdout).toContain('read')
    expect(await node.json<ContainerView>('inspect', 'read')).toMatchObject({state: 'running', sleeping: true})
    expect((await node.tally('logs', 'read')).stdout).toBe('hello\n')
    expect((await node.tally('top', 'read')).stdout).toContain('sleep 600')
    expect((await node.tally('stats', '--no-stream', 'read')).stdout).toContain('read')
    expect((await node.tally('explain', 'read')).stdout).toContain('read')
    expect(await status('read')).toEqual(before)
  })

  it('takes a fifth of a megabyte at most, also while it writes', async () => {
    await run('small', [], 'sh', '-c', 'while :; do echo tick; sleep 0.1; done')
    await fallsAsleep('small')
    await sleep(1_500)
    using control = await connectShimControl(join(node.runDir, 'containers/default/small/shim.sock'))
    expect((await control.status()).phase).toBe('asleep')
    const {pid = 0} = await node.json<ContainerView>('inspect', 'small')
    const [, shim] = /^PPid:\s+(\d+)$/m.exec(readProcFile(`/proc/${pid}/status`)) ?? []
    const [, pssKb] = /^Pss:\s+(\d+) kB$/m.exec(readProcFile(`/proc/${shim}/smaps_rollup`)) ?? []
    expect(Number(pssKb)).toBeLessThanOrEqual(200)
    const lines = (await node.tally('logs', 'small')).stdout.split('\n').filter(Boolean)
    expect(lines.length).toBeGreaterThan(10)
    expect(await node.tally('rm', '-f', 'small')).toMatchObject({exitCode: 0})
  })

  it('wakes for a command, which is in the ledger as any other, and adopts nothing', async () => {
    await run('woken', [], 'sleep', '600')
    for (let time = 0; time < 3; time += 1) {
      await fallsAsleep('woken')
      expect(await node.tally('exec', 'woken', 'sh', '-c', 'echo awake; exit 3')).toMatchObject({exitCode: 3, stdout: 'awake\n'})
    }
    expect((await status('woken'))?.starts).toBe(4)
    const events = await readEvents('woken')
    expect(events.filter((type) => type.startsWith('supervisor.'))).toEqual([])
    expect(events.filter((type) => type === 'exec.exited')).toHaveLength(3)
  })

  it('has its exit journaled when it ends, with the time of its end', async () => {
    await run('ends', [], 'sh', '-c', 'sleep 2; echo last words; exit 7')
    await fallsAsleep('ends')
    expect((await node.tally('wait', 'ends')).stdout).toBe('7\n')
    await comesToRest('ends')
    expect((await node.tally('logs', 'ends')).stdout).toBe('last words\n')
    const exited = (await node.events('ends')).find(({type}) => type === 'container.exited')
    expect(exited?.data).toMatchObject({exit: {type: 'code', code: 7}, source: 'waitid'})
  })

  it('keeps its terminal and its input', async () => {
    await run('typed', ['-i', '-t'], 'sh', '-c', 'read line; echo "got $line"; exec sleep 600')
    await run('piped', ['-i'], 'sh', '-c', 'cat; echo end')
    await Promise.all(['typed', 'piped'].map(fallsAsleep))
    await using client = await connectTally({runDir: node.runDir})
    const toSender = (id: string) => createInputSender(() => ({client, process: client.container(id)}))
    await toSender('typed').write(Buffer.from('a line\n'))
    await eventually('the answer', async () => (await node.tally('logs', 'typed')).stdout.includes('got a line'))
    const piped = toSender('piped')
    await piped.write(Buffer.from('one\n'))
    await fallsAsleep('piped')
    await piped.write(Buffer.from('two\n'))
    await client.container('piped').closeStdin()
    await client.container('piped').wait()
    expect((await node.tally('logs', 'piped')).stdout).toBe('one\ntwo\nend\n')
  })

  it('is restarted and health-checked when that is due', async () => {
    await run('again', ['--restart', 'on-failure:2'], 'sh', '-c', 'sleep 1; exit 1')
    await run('ill', ['--health-cmd', 'false', '--health-interval', '1s', '--health-retries', '3'], 'sleep', '600')
    await eventually('three failures', async () => (await readEvents('ill')).includes('container.health-changed'))
    expect((await status('ill'))?.starts).toBeGreaterThanOrEqual(3)
    await eventually('two restarts', async () => (await readEvents('again')).includes('container.restart-gave-up'))
    expect((await readEvents('again')).filter((type) => type === 'container.exited')).toHaveLength(3)
  })

  it('stays awake for whoever follows its output, and for no longer', async () => {
    await run('followed', [], 'sh', '-c', 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done')
    await fallsAsleep('followed')
    const follower = node.spawn('logs', '-f', '--tail', '1', 'followed')
    await eventually('a supervisor', () => findSupervisor(node, 'followed') !== undefined)
    await sleep(2_000)
    expect((await status('followed'))?.phase).toBe('up')
    follower.kill('SIGINT')
    const {stdout} = await follower
    const lines = String(stdout).split('\n').filter(Boolean).map(Number)
    expect(lines.length).toBeGreaterThan(10)
    expect(lines).toEqual(lines.map((_, index) => (lines[0] ?? 0) + index))
    await fallsAsleep('followed')
  })
})

describe('a container that has stopped', () => {
  it('has no process, and is started, asked and removed as before', async () => {
    await run('rest', [], 'sh', '-c', 'echo once; exit 4')
    await comesToRest('rest')
    expect(await node.json<ContainerView>('inspect', 'rest')).toMatchObject({state: 'stopped', exit: {type: 'code', code: 4}})
    expect((await node.tally('logs', 'rest')).stdout).toBe('once\n')
    expect((await node.tally('wait', 'rest')).stdout).toBe('4\n')
    expect(await status('rest')).toBeUndefined()
    expect(await node.tally('rm', 'rest')).toMatchObject({exitCode: 0, stderr: ''})
    expect((await node.tally('ps', '-a')).stdout).not.toContain('rest')
  })
})

describe('sleepers', () => {
  it('are not woken by a coordinator or a nats-server that starts, and are reachable after it', async () => {
    await Promise.all(['one', 'two'].map((id) => run(id, [], 'sleep', '600')))
    await Promise.all(['one', 'two'].map(fallsAsleep))
    const before = await Promise.all(['one', 'two'].map(status))
    const {coordinatorPid, natsPid} = await node.info()
    sendSignal(natsPid ?? 0, 'SIGKILL')
    await eventually('another nats-server', async () => (await node.info()).natsPid !== natsPid)
    sendSignal(coordinatorPid, 'SIGKILL')
    await eventually('another coordinator', async () => (await node.info()).coordinatorPid !== coordinatorPid)
    await sleep(1_500)
    expect(await Promise.all(['one', 'two'].map(status))).toEqual(before)
    expect(await node.tally('exec', 'one', 'echo', 'here')).toMatchObject({exitCode: 0, stdout: 'here\n'})
    expect((await status('two'))?.phase).toBe('asleep')
  })

  it('have their exits journaled with everything else dead', async () => {
    await run('alone', [], 'sh', '-c', 'sleep 3; exit 7')
    await fallsAsleep('alone')
    killNode(await node.info())
    await sleep(4_000)
    expect(node.journal('alone').some((line) => line.includes('container.exited') && line.includes('"code":7'))).toBe(true)
    await node.up('--sleep-after', '200ms')
    expect((await node.tally('wait', 'alone')).stdout).toBe('7\n')
  })

  it('answer each command once, at whatever moment of falling asleep and waking it comes', async () => {
    await run('often', [], 'sleep', '600')
    await using client = await connectTally({runDir: node.runDir})
    const container = client.container('often')
    const count = 80
    for (let index = 0; index < count; index += 1) {
      await container.addProcess({exec: `e${index}`, args: ['true'], start: false})
      // Around the moment at which it falls asleep: 200 ms after the last thing, and the time that the handover takes.
      await sleep(170 + (index % 50) * 3)
    }
    const added = (await node.events('often')).filter(({type}) => type === 'exec.added').map(({data}) => (data as {exec: string}).exec)
    expect(added).toEqual(Array.from({length: count}, (_, index) => `e${index}`))
    expect((await status('often'))?.starts).toBeGreaterThan(5)
    expect((await status('often'))?.deaths).toBe(0)
  })
})
