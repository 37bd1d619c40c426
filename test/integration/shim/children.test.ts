import {spawn} from 'node:child_process'
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from 'vitest'
import {readProcessStat} from '../../../src/linux/process-table.ts'
import {orphanModes} from '../../../src/shim/client/frames.ts'
import {openShimHarness, shimProgram} from '../../support/shim-harness.ts'

const soon = {interval: 2, timeout: 30_000}
const code = (value: number) => ({type: 'code', code: value})
const stateOf = (pid: number) => readProcessStat(pid)?.state

test('an orphan that is watched is told of with its status and stays a zombie until it is reaped', async () => {
  await using harness = await openShimHarness()
  const {shim, orphan, exits} = await harness.next()
  const pid = await orphan('sleep 0.2; exit 7')
  expect(readProcessStat(pid)?.parentPid).toBe(harness.pid)
  const {startTicks} = await shim.call('watch', {pid, isStranger: false})
  expect(startTicks).toBe(readProcessStat(pid)?.startTimeTicks)
  await expect.poll(() => exits.length, soon).toBe(1)
  expect(exits[0]).toMatchObject({pid, startTicks, status: code(7)})
  expect(Math.abs((exits[0]?.seenAtMs ?? 0) - Date.now())).toBeLessThan(2_000)
  expect(stateOf(pid)).toBe('Z')
  await shim.call('reap', {pid})
  expect(stateOf(pid)).toBeUndefined()
  await shim.call('reap', {pid})
})

test('a signal, a core flag and the resources of a child are told', async () => {
  await using harness = await openShimHarness()
  const {watch, exits} = await harness.next()
  await watch('i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; kill -9 $$')
  await expect.poll(() => exits.length, soon).toBe(1)
  expect(exits[0]?.status).toEqual({type: 'signal', signalNumber: 9, coreDumped: false})
  expect(exits[0]?.usage.userMs).toBeGreaterThan(10)
  expect(exits[0]?.usage.maxRssBytes).toBeGreaterThan(100_000)
})

test('orphans that nobody watches are reaped at once, behind a zombie that is kept as well', async () => {
  await using harness = await openShimHarness()
  const {shim, orphan, exits} = await harness.next()
  const kept = await orphan('exit 3')
  const hold = await orphan('sleep 0.3; exit 4')
  // Ended before anybody watched it: gone.
  await expect.poll(() => stateOf(kept), soon).toBeUndefined()
  await shim.call('watch', {pid: hold, isStranger: false})
  await expect.poll(() => exits.length, soon).toBe(1)
  const others = await Promise.all(Array.from({length: 20}, () => orphan('sleep 0.1')))
  for (const pid of others) await expect.poll(() => stateOf(pid), soon).toBeUndefined()
  expect(stateOf(hold)).toBe('Z')
})

test('an orphan that ends while orphans are held can still be watched', async () => {
  await using harness = await openShimHarness()
  const {shim, orphan, exits} = await harness.next()
  await shim.call('orphans', {mode: orphanModes.hold})
  const [wanted, unwanted] = [await orphan('sleep 0.2; exit 5'), await orphan('sleep 0.2; exit 6')]
  for (const pid of [wanted, unwanted]) await expect.poll(() => stateOf(pid), soon).toBe('Z')
  await shim.call('watch', {pid: wanted, isStranger: false})
  await expect.poll(() => exits.map(({status}) => status), soon).toEqual([code(5)])
  await shim.call('orphans', {mode: orphanModes.reap})
  expect(stateOf(unwanted)).toBeUndefined()
  expect(stateOf(wanted)).toBe('Z')
})

test('what is no child cannot be watched, and what runs cannot be reaped', async () => {
  await using harness = await openShimHarness()
  const {shim, watch} = await harness.next()
  await expect(shim.call('watch', {pid: process.pid, isStranger: false})).rejects.toMatchObject({name: 'ShimError', code: 'ECHILD'})
  await expect(shim.call('watch', {pid: 0, isStranger: false})).rejects.toMatchObject({code: 'ECHILD'})
  const pid = await watch('sleep 1000')
  await expect(shim.call('reap', {pid})).rejects.toMatchObject({code: 'EBUSY'})
})

test('a supervisor that is killed is replaced, and the next is told of what it has not reaped, with the time at which it was seen', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  const [early, late] = [await first.watch('sleep 0.1; exit 7'), await first.watch('sleep 1000')]
  await expect.poll(() => first.exits.length, soon).toBe(1)
  first.kill()
  const second = await harness.next()
  expect(second.shim.held).toMatchObject({reasons: 2, deaths: 1, lastStatus: 9, pid: harness.pid})
  expect(second.shim.held.children).toEqual([
    {pid: early, startTicks: expect.any(Number), hasEnded: true},
    {pid: late, startTicks: expect.any(Number), hasEnded: false},
  ])
  await expect.poll(() => second.exits, soon).toEqual(first.exits)
  expect(stateOf(early)).toBe('Z')
  await second.shim.call('reap', {pid: early})
  expect(stateOf(early)).toBeUndefined()
  process.kill(late, 'SIGTERM')
  await expect.poll(() => second.exits.length, soon).toBe(2)
})

test('an exit while there is no supervisor starts one, which is told', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  await first.watch('sleep 0.3; exit 7')
  await first.shim.leave('sleep')
  first.exit()
  const second = await harness.next()
  expect(second.shim.held.reasons).toBe(4)
  expect(second.shim.held.deaths).toBe(0)
  await expect.poll(() => second.exits.map(({status}) => status), soon).toEqual([code(7)])
})

test('orphans are held over the death of a supervisor', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  await first.shim.call('orphans', {mode: orphanModes.hold})
  const pid = await first.orphan('sleep 0.1; exit 7')
  first.kill()
  const second = await harness.next()
  expect(second.shim.held.orphans).toBe(orphanModes.hold)
  await expect.poll(() => stateOf(pid), soon).toBe('Z')
  await second.shim.call('watch', {pid, isStranger: false})
  await expect.poll(() => second.exits.map(({status}) => status), soon).toEqual([code(7)])
})

test('a hundred children that end at once are told of, each once', async () => {
  await using harness = await openShimHarness()
  const {shim, run, exits, orphan} = await harness.next()
  const gate = `${harness.dir}/gate`
  await run(`mkfifo ${gate}`)
  const pids = []
  for (let index = 0; index < 100; index += 1) pids.push(await orphan(`read -r _ < ${gate}; exit ${index}`))
  for (const pid of pids) await shim.call('watch', {pid, isStranger: false})
  await run(`seq 100 > ${gate} 2>/dev/null`)
  for (const pid of pids) if (stateOf(pid) !== 'Z') process.kill(pid, 'SIGKILL')
  await expect.poll(() => exits.length, soon).toBe(100)
  expect(new Set(exits.map(({pid}) => pid)).size).toBe(100)
  await Promise.all(pids.map((pid) => shim.call('reap', {pid})))
  expect(pids.filter((pid) => stateOf(pid) !== undefined)).toEqual([])
})

test('that a process of somebody else ends is seen, also by a sleeper, and how it ended is not', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  const stranger = spawn('sh', ['-c', 'read _; exit 7'])
  const pid = stranger.pid ?? 0
  await first.shim.call('watch', {pid, isStranger: true})
  await first.shim.call('upgrade', {image: shimProgram})
  await first.shim.leave('sleep')
  first.exit()
  stranger.stdin.end()
  const second = await harness.next()
  expect(second.shim.held).toMatchObject({reasons: 4, children: [{pid, hasEnded: true}]})
  await expect.poll(() => second.exits, soon).toMatchObject([{pid, status: undefined}])
  const descriptors = () => readdirSync(`/proc/${harness.pid}/fd`).length
  const before = descriptors()
  await second.shim.call('reap', {pid})
  expect(descriptors()).toBe(before - 1)
  await expect(second.shim.call('watch', {pid: 2 ** 22 + 5, isStranger: true})).rejects.toMatchObject({
    code: expect.stringMatching(/ESRCH|EINVAL/),
  })
  await expect(second.shim.call('watch', {pid: second.pid, isStranger: false})).rejects.toMatchObject({code: 'ECHILD'})
})

test('who wants to be told of all orphans is told of each, also of one that had ended before, and over deaths', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  await first.shim.call('orphans', {mode: orphanModes.hold})
  const early = await first.orphan('sleep 0.1; exit 3')
  await expect.poll(() => stateOf(early), soon).toBe('Z')
  await first.shim.call('orphans', {mode: orphanModes.tell})
  await expect.poll(() => first.exits.map(({status}) => status), soon).toEqual([code(3)])
  // What a program leaves behind that is itself a subreaper, and is killed.
  const late = await first.orphan('sleep 0.3; exit 4')
  first.kill()
  const second = await harness.next()
  expect(second.shim.held.orphans).toBe(orphanModes.tell)
  await expect.poll(() => second.exits.find(({pid}) => pid === late)?.status, soon).toEqual(code(4))
  for (const {pid} of second.exits) await second.shim.call('reap', {pid})
  expect([early, late].map(stateOf)).toEqual([undefined, undefined])
  await expect(second.shim.call('orphans', {mode: 3})).rejects.toMatchObject({code: 'EBADMSG'})
})

test('a shim above keeps what a killed shim has left: its status and its container', async () => {
  await using above = await openShimHarness()
  const coordinator = await above.next()
  await coordinator.shim.call('orphans', {mode: orphanModes.tell})
  // A shim that the coordinator has started, whose program has a child of its own.
  const script = join(above.dir, 'script')
  writeFileSync(script, `sh -c 'sleep 1; exit 7' & echo $! > ${above.dir}/child; exec sleep 1000`)
  const below = await coordinator.orphan(`exec ${shimProgram} -- sh ${script}`)
  const readChild = () => (existsSync(`${above.dir}/child`) ? Number(readFileSync(`${above.dir}/child`, 'utf8')) : 0)
  await expect.poll(readChild, soon).toBeGreaterThan(0)
  const child = readChild()
  const program = readProcessStat(child)?.parentPid ?? -1
  expect(readProcessStat(program)?.parentPid).toBe(below)
  for (const pid of [below, program]) process.kill(pid, 'SIGKILL')
  coordinator.kill()
  const next = await above.next()
  await expect.poll(() => next.exits.find(({pid}) => pid === child)?.status, soon).toEqual(code(7))
  expect(next.exits.find(({pid}) => pid === below)?.status).toEqual({type: 'signal', signalNumber: 9, coreDumped: false})
})
