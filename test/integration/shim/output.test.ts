import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {expect, test} from 'vitest'
import {listSegments} from '../../../src/stdio/log-segments.ts'
import {openShimHarness, shimProgram} from '../../support/shim-harness.ts'
import {hashLog, openStdio} from '../../support/shim-stdio.ts'
import {mountDisk} from '../../support/small-disk.ts'

const soon = {interval: 5, timeout: 10_000}
const bootMs = () => Number(process.hrtime.bigint() / 1_000_000n)
/** Checks run under a sanitizer are many times slower. */
const isSlow = shimProgram.includes('sanitized')

test('both streams are in the log, and a drain says how much that is', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const io = await openStdio(harness, supervisor)
  expect(await io.run('echo one; echo two >&2; printf three')).toBe(0)
  const {stdout, stderr, position} = await supervisor.shim.call('drain', {stdio: 0})
  expect({stdout, stderr}).toEqual({stdout: 9, stderr: 4})
  expect(statSync(io.log).size).toBe(position)
  expect([io.text(), io.text('stderr')]).toEqual(['one\nthree', 'two\n'])
  expect(statSync(io.log).mode & 0o777).toBe(0o600)
  expect(await supervisor.shim.call('close', {stdio: 0})).toMatchObject({stdout: 9, lostStdout: 0, lostStderr: 0})
  await expect(supervisor.shim.call('drain', {stdio: 0})).rejects.toMatchObject({code: 'ENOENT'})
})

test('output goes on while no supervisor is there, and its log with it when it is opened again', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  const io = await openStdio(harness, first)
  await io.watch('i=0; while [ $i -lt 50 ]; do echo "line $i"; i=$((i+1)); sleep 0.01; done')
  await first.shim.leave('sleep')
  first.exit()
  const second = await harness.next()
  await expect.poll(() => second.exits.length, soon).toBe(1)
  expect(second.shim.held.stdios).toMatchObject([
    {stdio: 0, name: 'stdio-0', directory: io.directory, log: io.log, isInputOpen: false, isDrained: false},
  ])
  const {stdout} = await second.shim.call('drain', {stdio: 0})
  const expected = Array.from({length: 50}, (_, index) => `line ${index}\n`).join('')
  expect(stdout).toBe(expected.length)
  await second.shim.call('close', {stdio: 0})
  const again = await openStdio(harness, second)
  await again.run('echo more')
  expect((await second.shim.call('drain', {stdio: 0})).stdout).toBe(expected.length + 5)
  expect(again.text()).toBe(`${expected}more\n`)
})

test('every byte of a flood is in the log once, over rotations; frames are answered meanwhile', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const io = await openStdio(harness, supervisor, {maxBytes: 4 * 1024 * 1024, maxFiles: 1_000})
  const lines = isSlow ? 200_000 : 1_000_000
  const script = `seq -f 'line number %027.0f' 1 ${lines}`
  const flood = io.run(script)
  const waits: number[] = []
  let isOver = false
  void flood.then(() => {
    isOver = true
  })
  while (!isOver) {
    const begin = performance.now()
    await supervisor.shim.call('status', {follow: false})
    waits.push(performance.now() - begin)
    await sleep(2)
  }
  expect(await flood).toBe(0)
  const {stdout} = await supervisor.shim.call('drain', {stdio: 0})
  expect(stdout).toBe(40 * lines)
  const sha256 = createHash('sha256')
    .update(execFileSync('sh', ['-c', script], {maxBuffer: 100_000_000}))
    .digest('hex')
  const found = hashLog(io.log, 'stdout')
  expect(found).toMatchObject({bytes: 40 * lines, sha256})
  // It writes 4 KiB at a time, which ends within a line: only some of them are read before the rest has come.
  expect(found.cut).toBeLessThan(stdout / 4096 / 2)
  expect(listSegments(io.log).length).toBeGreaterThan(isSlow ? 3 : 10)
  for (const {path} of listSegments(io.log)) expect(statSync(path).size).toBeLessThanOrEqual(4 * 1024 * 1024 + 16 * 1024 + 100)
  waits.sort((a, b) => a - b)
  expect(waits[Math.floor(waits.length * 0.9)]).toBeLessThan(isSlow ? 500 : 100)
})

test('an exit is told, and others write, while somebody floods', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const [flooding, quiet] = [
    await openStdio(harness, supervisor, {maxBytes: 1_000_000, maxFiles: 2}),
    await openStdio(harness, supervisor, {stdio: 1}),
  ]
  const flood = await flooding.watch('yes')
  await sleep(100)
  const begin = performance.now()
  const pid = await quiet.orphan('echo quiet; exit 3')
  await expect.poll(() => quiet.text(), soon).toBe('quiet\n')
  process.kill(flood, 'SIGKILL')
  await expect.poll(() => supervisor.exits.length, soon).toBe(1)
  expect(performance.now() - begin).toBeLessThan(5_000)
  expect(pid).toBeGreaterThan(0)
  await supervisor.shim.call('drain', {stdio: 0})
  expect(readdirSync(join(flooding.log, '..')).sort()).toEqual(['log', 'log.1', 'log.places', 'stderr.spool', 'stdout.spool'])
})

test('a line a second leaves nothing in the spool, and binary data comes back', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const io = await openStdio(harness, supervisor)
  const bytes = Buffer.from(Array.from({length: 100_000}, (_, index) => (index * 7919) % 256))
  writeFileSync(join(harness.dir, 'binary'), bytes)
  await io.run(`cat ${harness.dir}/binary`)
  await supervisor.shim.call('drain', {stdio: 0})
  expect(hashLog(io.log, 'stdout').sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
  expect(statSync(join(io.log, '../stdout.spool')).size).toBe(0)
})

test('who follows is told once that a log has grown', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const io = await openStdio(harness, supervisor)
  await io.run('echo one')
  await expect.poll(() => io.text(), soon).toBe('one\n')
  expect(supervisor.growths).toEqual([])
  await supervisor.shim.call('follow', {stdio: 0, position: 0})
  await expect.poll(() => supervisor.growths.length, soon).toBe(1)
  const [{position = 0, stdout} = {}] = supervisor.growths
  expect({position, stdout}).toEqual({position: statSync(io.log).size, stdout: 4})
  await io.run('echo two')
  await sleep(30)
  expect(supervisor.growths).toHaveLength(1)
  await supervisor.shim.call('follow', {stdio: 0, position})
  await expect.poll(() => supervisor.growths.length, soon).toBe(2)
})

test('what a reader wants is not dropped: the process waits until he is done with it', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const io = await openStdio(harness, supervisor, {maxBytes: 100_000, maxFiles: 2})
  const hold = (stdout: number, forMs = 60_000) =>
    supervisor.shim.call('holdOutput', {stdio: 0, untilMs: bootMs() + forMs, stdout, stderr: 0})
  await hold(0)
  await io.watch('seq 100000')
  const logged = async () => {
    await sleep(200)
    const told = supervisor.growths.length
    await supervisor.shim.call('follow', {stdio: 0, position: 0})
    await expect.poll(() => supervisor.growths.length, soon).toBeGreaterThan(told)
    return supervisor.growths.at(-1)?.stdout ?? 0
  }
  const stuck = await logged()
  expect(stuck).toBeGreaterThan(1_000)
  expect(await logged()).toBe(stuck)
  expect(io.text().startsWith('1\n2\n')).toBe(true)
  await hold(stuck)
  await expect.poll(logged, {interval: 10, timeout: 5_000}).toBeGreaterThan(stuck)
  // A hold lapses.
  await hold(0, 100)
  await expect.poll(() => supervisor.exits.length, soon).toBe(1)
  expect((await supervisor.shim.call('drain', {stdio: 0})).stdout).toBe(588_895)
})

test('a full disk stops the reading and the process waits; with room again nothing is lost, doubled or torn', async () => {
  await using harness = await openShimHarness()
  const disk = join(harness.dir, 'disk')
  const supervisor = await harness.next()
  await using _disk = mountDisk(disk, '256k')
  const io = await openStdio(harness, supervisor, {log: join(disk, 'log')})
  await io.watch('seq 60000')
  // Nothing has been logged for half a second: longer than a retry takes.
  for (let before = -1; !existsSync(io.log) || statSync(io.log).size !== before; await sleep(500)) before = statSync(io.log).size
  expect(supervisor.exits).toEqual([])
  expect(readFileSync(io.log, 'latin1').endsWith('\n')).toBe(true)
  // A supervisor that is started now sees that output waits for the disk.
  supervisor.kill()
  const second = await harness.next()
  expect(second.shim.held.stdios[0]?.stdoutErrno).toBe(28)
  execFileSync('mount', ['-o', 'remount,size=8m', disk])
  await expect.poll(() => second.exits.length, soon).toBe(1)
  const expected = Array.from({length: 60_000}, (_, index) => `${index + 1}\n`).join('')
  expect((await second.shim.call('drain', {stdio: 0})).stdout).toBe(expected.length)
  expect(io.text() === expected).toBe(true)
  await second.shim.call('close', {stdio: 0})
})

test('a drain on a full disk waits, and says what was lost when it is given up', async () => {
  await using harness = await openShimHarness()
  const disk = join(harness.dir, 'disk')
  const {shim, orphan, ...rest} = await harness.next()
  await using _disk = mountDisk(disk, '256k')
  const io = await openStdio(harness, {shim, orphan, ...rest}, {log: join(disk, 'log')})
  const pid = await io.orphan('seq 100000')
  await sleep(1_000)
  process.kill(pid, 'SIGKILL')
  const drained = shim.call('drain', {stdio: 0}).then(
    () => 'drained',
    (error: {code: string}) => error.code,
  )
  await sleep(400)
  const {stdout, lostStdout} = await shim.call('close', {stdio: 0})
  expect(await drained).toBe('ENOSPC')
  expect(lostStdout).toBeGreaterThan(60_000)
  expect(hashLog(io.log, 'stdout').bytes).toBe(stdout)
})

test('a process that a process leaves behind does not block when nobody wants what it writes', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const io = await openStdio(harness, supervisor)
  const pid = await io.orphan('yes & echo $! >&2; exit 0')
  await expect.poll(() => io.text('stderr'), soon).toMatch(/^\d+\n$/)
  const left = Number(io.text('stderr'))
  expect(pid).toBeGreaterThan(0)
  const {stdout} = await supervisor.shim.call('drain', {stdio: 0})
  expect(stdout).toBeGreaterThan(0)
  await supervisor.shim.call('discard', {stdio: 0})
  const {size} = statSync(io.log)
  const written = () => Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${left}/io`, 'latin1'))?.[1])
  const before = written()
  await expect.poll(() => written() > before + 500_000, soon).toBe(true)
  expect(statSync(io.log).size).toBe(size)
  const descriptors = () => readdirSync(`/proc/${harness.pid}/fd`).length
  const held = descriptors()
  process.kill(left, 'SIGKILL')
  // The last writer has gone.
  await expect.poll(descriptors, soon).toBe(held - 1)
})

test('three hundred processes at once, each with its own log', {timeout: 60_000}, async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const all = await Promise.all(
    Array.from({length: 300}, (_, index) => openStdio(harness, supervisor, {stdio: index, input: index % 2 === 0})),
  )
  const script = all
    .map(
      ({directory}, index) =>
        `(for i in 1 2 3 4 5; do echo "${index} $i"; echo "e$i" >&2; done) 1<>${directory}/stdout 2<>${directory}/stderr &`,
    )
    .join('\n')
  writeFileSync(join(harness.dir, 'script'), `${script}\nwait\n`)
  expect(await supervisor.run(`sh ${harness.dir}/script`)).toBe(0)
  const drained = await Promise.all(all.map(({stdio}) => supervisor.shim.call('drain', {stdio})))
  for (const [index, {stdout, stderr}] of drained.entries())
    expect({stdout, stderr}).toEqual({stdout: 5 * (String(index).length + 3), stderr: 15})
  for (const [index, io] of all.entries()) expect(io.text()).toBe([1, 2, 3, 4, 5].map((i) => `${index} ${i}\n`).join(''))
  supervisor.kill()
  const second = await harness.next()
  expect(second.shim.held.stdios).toHaveLength(300)
  expect(second.shim.held.stdios.every(({isDrained}) => isDrained)).toBe(true)
  for (const {stdio} of all) await second.shim.call('close', {stdio})
  expect(readdirSync(`/proc/${harness.pid}/fd`).length).toBeLessThan(20)
})

test('what a shim that was killed had taken, and what waits in a pipe, the next shim has; nothing is doubled', async () => {
  await using former = await openShimHarness()
  const dir = former.dir
  const supervisor = await former.next()
  const io = await openStdio(former, supervisor)
  // Somebody else holds the FIFO: a container, which has it open for both.
  const pid = await io.orphan('seq 400000; exec sleep 1000')
  await expect.poll(() => existsSync(io.log) && statSync(io.log).size > 1_000_000, soon).toBe(true)
  process.kill(former.pid, 'SIGKILL')
  await former.ended
  await using harness = await openShimHarness()
  const next = await harness.next()
  const again = await openStdio({dir}, next)
  const expected = Array.from({length: 400_000}, (_, index) => `${index + 1}\n`).join('')
  const logged = async () => {
    await next.shim.call('follow', {stdio: 0, position: 0})
    return next.growths.at(-1)?.stdout
  }
  await expect.poll(logged, soon).toBe(expected.length)
  expect(again.text() === expected).toBe(true)
  process.kill(pid, 'SIGKILL')
})

test('what cannot be opened is said, and nothing of it is left', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const descriptors = () => readdirSync(`/proc/${harness.pid}/fd`).length
  const before = descriptors()
  const fields = {stdio: 5, flags: 2, name: '', uid: 0, gid: 0, maxBytes: 0, maxFiles: 0, columns: 0, rows: 0}
  const open = (directory: string, log: string) => supervisor.shim.call('open', {...fields, directory, log})
  await expect(open('/nonexistent', join(harness.dir, 'log'))).rejects.toMatchObject({code: 'ENOENT'})
  await expect(open(harness.dir, '/nonexistent/log')).rejects.toMatchObject({code: 'ENOENT'})
  mkdirSync(join(harness.dir, 'stdout'))
  await expect(open(harness.dir, join(harness.dir, 'log'))).rejects.toMatchObject({code: 'EISDIR'})
  await expect(open('x'.repeat(5_000), 'log')).rejects.toMatchObject({code: 'ENAMETOOLONG'})
  expect(descriptors()).toBe(before)
  await openStdio(harness, supervisor, {stdio: 5})
  await expect(openStdio(harness, supervisor, {stdio: 5})).rejects.toMatchObject({code: 'EEXIST'})
})
