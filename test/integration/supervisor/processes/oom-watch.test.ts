import {mkdirSync, readFileSync, rmdirSync, watch, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, onTestFinished, test} from 'vitest'
import type {EventData} from '../../../../machines/ledger/events.ts'
import {createSystemClock} from '../../../../src/kernel/clock.ts'
import {parseMounts} from '../../../../src/linux/cgroup.ts'
import {isEnding} from '../../../../src/linux/ending.ts'
import {reapChild} from '../../../../src/linux/wait.ts'
import {linuxOomCounters} from '../../../../src/supervisor/processes/oom-counters.ts'
import {createOomWatch} from '../../../../src/supervisor/processes/oom-watch.ts'
import {spawnSleepingOrphan} from '../../../support/orphan.ts'
import {makeTempDir} from '../../../support/temp-dir.ts'

const identify = (pid: number) => ({pid, startTimeTicks: 1, bootId: 'b'})
const killedBySigkill = {type: 'signal', signal: 'SIGKILL'} as const

function v2Events(group: string, kills: number): void {
  writeFileSync(join(group, 'memory.events'), `low 0\nhigh 0\nmax 9\noom ${kills}\noom_kill ${kills}\noom_group_kill 0\n`)
}

async function open() {
  const temp = makeTempDir()
  const told: EventData<'container.oom'>[] = []
  const oom = createOomWatch({
    counters: linuxOomCounters,
    clock: createSystemClock(),
    observe: async (draft) => {
      if (draft.type === 'container.oom') told.push(draft.data)
      return undefined
    },
  })
  onTestFinished(async () => {
    oom.end()
    await temp[Symbol.asyncDispose]()
  })
  return {oom, told, group: temp.path}
}

test('a change of memory.events is reported well before the next poll, once, with the count so far', async () => {
  const {oom, told, group} = await open()
  v2Events(group, 0)
  oom.watch(identify(process.pid), ['/sys/fs/cgroup/nothing', group], 0)
  const begun = performance.now()
  v2Events(group, 2)
  await expect.poll(() => told, {interval: 10}).toEqual([{cgroup: group, killed: 2}])
  expect(performance.now() - begun).toBeLessThan(800)
  oom.look()
  expect(told).toHaveLength(1)
})

test('memory.oom_control is looked at once a second where there is a limit, and less often where there is none', async () => {
  const {oom, told, group} = await open()
  const write = (kills: number) => writeFileSync(join(group, 'memory.oom_control'), `oom_kill_disable 0\nunder_oom 0\noom_kill ${kills}\n`)
  write(0)
  writeFileSync(join(group, 'memory.limit_in_bytes'), '9223372036854771712\n')
  oom.watch(identify(process.pid), [group], 0)
  write(1)
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(told).toEqual([])
  writeFileSync(join(group, 'memory.limit_in_bytes'), '33554432\n')
  oom.watch(identify(process.pid), [group], 0)
  expect(told).toEqual([{cgroup: group, killed: 1}])
  write(3)
  await expect.poll(() => told.at(-1), {timeout: 60_000}).toEqual({cgroup: group, killed: 3})
})

test('what was counted before and is known is not reported again, and what is not known is', async () => {
  const {oom, told, group} = await open()
  v2Events(group, 3)
  oom.watch(identify(process.pid), [group], 3)
  expect(told).toEqual([])
  const another = await open()
  v2Events(another.group, 3)
  another.oom.watch(identify(process.pid), [another.group], 1)
  expect(another.told).toEqual([{cgroup: another.group, killed: 3}])
})

test('a SIGKILL is the kernel’s doing when init was ending as the count rose, and not when it lived on', async () => {
  const [killed, spared] = [spawnSleepingOrphan(), spawnSleepingOrphan()]
  onTestFinished(async () => {
    process.kill(spared, 'SIGKILL')
    await expect.poll(() => [killed, spared].map((pid) => reapChild(pid).type)).toEqual(['not-a-child', 'not-a-child'])
  })
  const [first, second] = [await open(), await open()]
  for (const {group} of [first, second]) v2Events(group, 0)
  first.oom.watch(identify(killed), [first.group], 0)
  second.oom.watch(identify(spared), [second.group], 0)
  expect(isEnding(spared)).toBe(false)
  process.kill(killed, 'SIGKILL')
  expect(isEnding(killed)).toBe(true)
  for (const {group} of [first, second]) v2Events(group, 1)
  second.oom.look()
  expect(first.oom.hasEnded(killedBySigkill)).toBe(true)
  expect(first.oom.hasEnded({type: 'code', code: 137})).toBe(false)
  expect(second.oom.hasEnded(killedBySigkill)).toBe(false)
})

test('the kernel tells inotify of changes in a file of cgroup v2', async () => {
  const mount = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8')).find(({type}) => type === 'cgroup2')
  if (!mount) throw new Error('expected a cgroup v2 hierarchy to be mounted')
  const group = join(mount.directory, `tally-it-oom-${process.pid}`)
  mkdirSync(group)
  const pid = spawnSleepingOrphan()
  let heard = 0
  const listener = watch(join(group, 'cgroup.events'), () => {
    heard += 1
  })
  onTestFinished(async () => {
    listener.close()
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => reapChild(pid).type).toBe('not-a-child')
    await expect.poll(() => readFileSync(join(group, 'cgroup.events'), 'utf8')).toContain('populated 0')
    rmdirSync(group)
  })
  writeFileSync(join(group, 'cgroup.procs'), String(pid))
  await expect.poll(() => heard).toBeGreaterThan(0)
})
