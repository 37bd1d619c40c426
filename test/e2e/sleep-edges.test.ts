/** What comes while a supervisor sleeps, falls asleep or has ended with its container; and how sleepers are counted. */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {connectTally, type ProcessClient, type TallyClient} from '../../src/client/index.ts'
import {createInputSender} from '../../src/client/send-input.ts'
import {readProcessStat} from '../../src/linux/process-table.ts'
import {sendSignal} from '../support/send-signal.ts'
import {createSleepWatch} from '../support/sleep-watch.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode({args: ['--sleep-after', '200ms', '--http', '127.0.0.1:0']})
const {status, fallsAsleep, comesToRest, run} = createSleepWatch(node)

async function scrape(): Promise<readonly string[]> {
  const {httpUrl} = await node.info()
  const token = readFileSync(join(node.stateDir, 'metrics-token'), 'utf8').trim()
  const response = await fetch(new URL('/metrics', httpUrl), {headers: {Authorization: `Bearer ${token}`}})
  return (await response.text()).split('\n')
}

/** More than a pipe holds: the rest waits at the shim, and in the supervisor. */
const flood = Buffer.alloc(100_000, 'x')

/** Sends it and, while it waits for a reader, the end. Nobody waits for an answer. */
async function floodAndEnd(client: TallyClient, process: ProcessClient): Promise<void> {
  const writing = createInputSender(() => ({client, process})).write(flood)
  writing.catch(() => {})
  await sleep(500)
  await process.closeStdin()
}

it('supervisors are counted by what they are, and wake-ups, by info, ps and the metrics', async () => {
  await run('dozes', [], 'sleep', '600')
  await run('over', [], 'true')
  await Promise.all([fallsAsleep('dozes'), comesToRest('over')])
  const wanted = {awake: 0, asleep: 1, none: 1, 'gave-up': 0, missing: 0}
  await eventually('both to be known', async () => (await node.info()).supervisors?.['none'] === 1)
  expect((await node.info()).supervisors).toEqual(wanted)
  expect((await node.tally('info')).stdout).toMatch(/^Supervisors +0 awake, 1 asleep, 1 not needed$/m)
  const listed = await node.json<readonly ContainerView[]>('ps', '-a')
  expect(listed.map(({id, state, sleeping}) => [id, state, sleeping]).toSorted()).toEqual([
    ['dozes', 'running', true],
    ['over', 'stopped', true],
  ])
  const before = await scrape()
  for (const [supervisor, count] of Object.entries(wanted))
    expect(before).toContain(`tally_containers_by_supervisor{supervisor="${supervisor}"} ${count}`)
  for (const line of ['tally_supervisors 1', 'tally_supervisors_missing 0', 'tally_supervisor_wakes_total 0', 'tally_held_requests 0'])
    expect(before).toContain(line)
  await node.tally('exec', 'dozes', 'true')
  await fallsAsleep('dozes')
  // Refused, by a supervisor that was started for it.
  await node.tally('start', 'over')
  await comesToRest('over')
  const after = await scrape()
  for (const line of ['tally_supervisor_wakes_total 2', 'tally_supervisor_starts_total 2', 'tally_supervisor_deaths_total 0'])
    expect(after).toContain(line)
})

it('an init that the kernel kills for its memory while nobody is awake is reported as that', async () => {
  await run('hungry', ['--memory', '16m'], 'sh', '-c', 'sleep 3; exec tail /dev/zero')
  await fallsAsleep('hungry')
  expect((await node.tally('wait', 'hungry')).stdout).toBe('137\n')
  const events = await node.events('hungry')
  expect(events.map(({type}) => type).slice(4)).toEqual(['container.oom', 'container.exited'])
  expect(events.at(-1)?.data).toMatchObject({exit: {type: 'signal', signal: 'SIGKILL'}, source: 'waitid', oomKilled: true})
  expect(await node.json<ContainerView>('inspect', 'hungry')).toMatchObject({oomKilled: true, oomKills: 1})
})

it('another process that the kernel kills for its memory is reported when the supervisor wakes, and init is not said to be it', async () => {
  const script = 'sleep 2; tail /dev/zero; echo gone; while true; do sleep 0.05; done'
  await run('parent', ['--memory', '16m'], 'sh', '-c', script)
  await fallsAsleep('parent')
  await eventually('the child is gone', async () => (await node.tally('logs', 'parent')).stdout === 'gone\n')
  await node.tally('kill', 'parent')
  await node.tally('wait', 'parent')
  const types = (await node.events('parent')).map(({type}) => type).slice(4)
  expect(types.filter((type) => type === 'container.oom')).toHaveLength(1)
  expect(types.at(-1)).toBe('container.exited')
  expect(await node.json<ContainerView>('inspect', 'parent')).toMatchObject({oomKills: 1, oomKilled: false})
})

it('an end of input reaches a process that reads only later', async () => {
  await run('late', ['-i'], 'sh', '-c', 'sleep 4; wc -c')
  {
    await using client = await connectTally({runDir: node.runDir})
    await floodAndEnd(client, client.container('late'))
  }
  await eventually('its end', async () => (await node.json<ContainerView>('inspect', 'late')).state === 'stopped')
  expect((await node.tally('logs', 'late')).stdout).toBe(`${flood.length}\n`)
  await comesToRest('late')
})

it('a process that is deleted while the end of its input waits ends no supervisor', async () => {
  await run('box', [], 'sleep', '600')
  await using client = await connectTally({runDir: node.runDir})
  const box = client.container('box')
  await box.addProcess({exec: 'deaf', args: ['sleep', '600'], stdin: true})
  const deaf = box.process('deaf')
  await floodAndEnd(client, deaf)
  await deaf.kill('SIGKILL')
  await deaf.wait()
  await deaf.delete()
  await sleep(500)
  expect((await status('box'))?.deaths).toBe(0)
  await fallsAsleep('box')
})

it('a container whose shim is killed while its supervisor sleeps is adopted, and its exit is true', async () => {
  await run('robbed', [], 'sh', '-c', 'sleep 4; exit 7')
  await fallsAsleep('robbed')
  const {pid = 0} = await node.json<ContainerView>('inspect', 'robbed')
  sendSignal(readProcessStat(pid)?.parentPid, 'SIGKILL')
  expect((await node.tally('wait', 'robbed')).stdout).toBe('7\n')
  const events = (await node.events('robbed')).map(({type}) => type)
  expect(events.filter((type) => type === 'supervisor.adopted')).toHaveLength(1)
})

it('a container that has stopped answers at whatever moment of its shim’s end', async () => {
  await run('brief', [], 'true')
  await comesToRest('brief')
  await using client = await connectTally({runDir: node.runDir})
  const brief = client.container('brief')
  for (let index = 0; index < 25; index += 1) {
    // It is refused by the supervisor, which has to be there for that, and not for lack of one.
    await expect(brief.start()).rejects.toMatchObject({code: 'ILLEGAL_COMMAND'})
    // Around the moment at which supervisor and shim end: 200 ms after the last thing, and the time that the handover takes.
    await sleep(170 + index * 6)
  }
  expect((await node.events('brief')).filter(({type}) => type.startsWith('supervisor.'))).toEqual([])
})
