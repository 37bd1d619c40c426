/** A container whose runtime is run by the supervisor: init falls to the shim. */
import {execFileSync} from 'node:child_process'
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, expect, test} from 'vitest'
import {readProcessStat} from '../../../src/linux/process-table.ts'
import {nobody, orphanModes, stdioFlags} from '../../../src/shim/client/frames.ts'
import {createOutputReader} from '../../../src/stdio/output-reader.ts'
import {makeBusyboxRootfs} from '../../support/busybox.ts'
import {expectNothingLeft} from '../../support/leaks.ts'
import {openShimHarness, type ShimHarness, shimProgram, type TestSupervisor} from '../../support/shim-harness.ts'

const soon = {interval: 5, timeout: 20_000}
const code = (value: number) => ({type: 'code', code: value})
const cgroupPrefix = `tally-shim-it-${process.pid}-`
let containers = 0

afterEach(async () => await expectNothingLeft({cgroupPrefix}))

interface Container {
  readonly id: string
  readonly bundle: string
  readonly directory: string
  readonly log: string
  readonly runc: string
  readonly pidFile: string
  /** The stdio of init, from the supervisor's shell. */
  readonly stdio: string
  text(): string
}

async function makeContainer(
  {dir}: ShimHarness,
  {shim}: TestSupervisor,
  args: readonly string[],
  flags = 0,
): Promise<Container & {readonly console: string}> {
  containers += 1
  const id = `c${containers}`
  const bundle = join(dir, id)
  const [directory, log, pidFile] = [join(bundle, 'io'), join(bundle, 'log'), join(bundle, 'pid')]
  mkdirSync(directory, {recursive: true})
  makeBusyboxRootfs(bundle)
  execFileSync('runc', ['spec'], {cwd: bundle})
  const spec = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'))
  spec.process.args = args
  spec.process.terminal = (flags & stdioFlags.terminal) !== 0
  spec.process.noNewPrivileges = true
  spec.linux.cgroupsPath = `/${cgroupPrefix}${id}`
  spec.root.readonly = false
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(spec))
  const {consoleSocket} = await shim.call('open', {
    ...{stdio: 0, name: '', flags, directory, log, uid: nobody, gid: nobody, maxBytes: 0, maxFiles: 0, columns: 100, rows: 30},
  })
  const isTerminal = consoleSocket !== ''
  const stdin = (flags & stdioFlags.input) !== 0 && !isTerminal ? `${directory}/stdin` : '/dev/null'
  return {
    id,
    bundle,
    directory,
    log,
    pidFile,
    runc: `runc --root ${dir}/runc`,
    stdio: isTerminal ? '</dev/null >/dev/null 2>&1' : `<${stdin} 1<>${directory}/stdout 2<>${directory}/stderr`,
    console: isTerminal ? `--console-socket ${consoleSocket}` : '',
    text: () => createOutputReader(log).read('stdout', 0, 10_000_000).bytes.toString('latin1'),
  }
}

async function create(
  supervisor: TestSupervisor,
  {runc, bundle, pidFile, id, stdio, console}: Container & {readonly console: string},
): Promise<number> {
  const {shim, run} = supervisor
  await shim.call('orphans', {mode: orphanModes.hold})
  expect(await run(`${runc} create --bundle ${bundle} --pid-file ${pidFile} ${console} ${id} ${stdio}`)).toBe(0)
  const pid = Number(readFileSync(pidFile, 'utf8'))
  await shim.call('watch', {pid, isStranger: false})
  await shim.call('handOver', {stdio: 0})
  await shim.call('orphans', {mode: orphanModes.reap})
  return pid
}

async function remove({run}: TestSupervisor, {runc, id}: Container): Promise<void> {
  expect(await run(`${runc} delete --force ${id} >/dev/null 2>&1`)).toBe(0)
}

test('init falls to the shim; its output is in the log, its status is told, and only then is it reaped', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const container = await makeContainer(harness, supervisor, ['sh', '-c', 'echo from inside; exit 7'])
  const pid = await create(supervisor, container)
  expect(readProcessStat(pid)?.parentPid).toBe(harness.pid)
  expect(await supervisor.run(`${container.runc} start ${container.id}`)).toBe(0)
  await expect.poll(() => supervisor.exits, soon).toMatchObject([{pid, status: code(7)}])
  expect(readProcessStat(pid)?.isZombie).toBe(true)
  expect((await supervisor.shim.call('drain', {stdio: 0})).stdout).toBe(12)
  expect(container.text()).toBe('from inside\n')
  await supervisor.shim.call('reap', {pid})
  expect(readProcessStat(pid)).toBeUndefined()
  await remove(supervisor, container)
  await supervisor.shim.call('close', {stdio: 0})
  await supervisor.shim.leave('end')
  supervisor.exit()
  expect(await harness.ended).toBe(0)
})

const phases = ['before start', 'while it runs', 'after its exit, before it is reaped', 'while asleep'] as const

test.each(phases)('a supervisor killed %s: status 7, and all of the output', async (phase) => {
  await using harness = await openShimHarness()
  let supervisor = await harness.next()
  const container = await makeContainer(harness, supervisor, [
    'sh',
    '-c',
    'i=0; while [ $i -lt 30 ]; do echo "$i"; i=$((i+1)); sleep 0.02; done; exit 7',
  ])
  const pid = await create(supervisor, container)
  const killed = async () => {
    supervisor.kill()
    supervisor = await harness.next()
    expect(supervisor.shim.held).toMatchObject({deaths: 1, children: [{pid}], stdios: [{log: container.log}]})
  }
  if (phase === 'before start') await killed()
  expect(await supervisor.run(`${container.runc} start ${container.id}`)).toBe(0)
  if (phase === 'while it runs') await killed()
  if (phase === 'while asleep') {
    await supervisor.shim.leave('sleep')
    supervisor.exit()
    supervisor = await harness.next()
    expect(supervisor.shim.held).toMatchObject({reasons: 4, deaths: 0})
  }
  await expect.poll(() => supervisor.exits, soon).toMatchObject([{pid, status: code(7)}])
  if (phase === 'after its exit, before it is reaped') {
    await killed()
    await expect.poll(() => supervisor.exits, soon).toMatchObject([{pid, status: code(7)}])
  }
  await supervisor.shim.call('drain', {stdio: 0})
  expect(container.text()).toBe(Array.from({length: 30}, (_, index) => `${index}\n`).join(''))
  await supervisor.shim.call('reap', {pid})
  await remove(supervisor, container)
})

test('a supervisor killed while the runtime makes the container: the next finds its init held', async () => {
  await using harness = await openShimHarness()
  const first = await harness.next()
  const container = await makeContainer(harness, first, ['sh', '-c', 'exit 7'])
  await first.shim.call('orphans', {mode: orphanModes.hold})
  const {runc, bundle, pidFile, id, stdio} = container
  first.run(`${runc} create --bundle ${bundle} --pid-file ${pidFile} ${id} ${stdio}`).catch(() => {})
  // It is at work.
  await expect.poll(() => existsSync(`${harness.dir}/runc`), soon).toBe(true)
  first.kill()
  const second = await harness.next()
  expect(second.shim.held.orphans).toBe(orphanModes.hold)
  const readPid = () => {
    try {
      return Number(readFileSync(pidFile, 'utf8'))
    } catch {
      return 0
    }
  }
  await expect.poll(readPid, soon).toBeGreaterThan(0)
  const pid = readPid()
  await expect.poll(() => readProcessStat(pid)?.parentPid, soon).toBe(harness.pid)
  await expect.poll(() => second.run(`${runc} start ${id} 2>/dev/null`), soon).toBe(0)
  await expect.poll(() => readProcessStat(pid)?.isZombie, soon).toBe(true)
  await second.shim.call('watch', {pid, isStranger: false})
  await second.shim.call('orphans', {mode: orphanModes.reap})
  await expect.poll(() => second.exits, soon).toMatchObject([{pid, status: code(7)}])
  await second.shim.call('reap', {pid})
  await remove(second, container)
})

test('a terminal comes from the runtime; its output, input, size and hang-up', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const {shim} = supervisor
  const container = await makeContainer(harness, supervisor, ['sh'], stdioFlags.terminal | stdioFlags.input)
  const pid = await create(supervisor, container)
  expect(await supervisor.run(`${container.runc} start ${container.id}`)).toBe(0)
  const type = (text: string, by = supervisor) => by.shim.call('input', {stdio: 0, cookie: Buffer.alloc(0), bytes: Buffer.from(text)})
  await type('stty size; tty\n')
  await expect.poll(() => container.text(), soon).toContain('30 100\r\n')
  await shim.call('resize', {stdio: 0, columns: 120, rows: 40})
  await type('stty size\n')
  await expect.poll(() => container.text(), soon).toContain('40 120\r\n')
  // The terminal outlives a supervisor, and another image of the shim.
  supervisor.kill()
  const second = await harness.next()
  expect(second.shim.held.stdios).toMatchObject([{hasTerminal: true, isInputOpen: true}])
  await second.shim.call('upgrade', {image: shimProgram})
  await type('echo still $((6*7))\n', second)
  await expect.poll(() => container.text(), soon).toContain('still 42\r\n')
  await type('seq 20000; exit 5\n', second)
  await expect.poll(() => second.exits, soon).toMatchObject([{pid, status: code(5)}])
  const {stdout, stderr} = await second.shim.call('drain', {stdio: 0})
  expect(stderr).toBe(0)
  expect(container.text().length).toBe(stdout)
  expect(container.text()).toContain('19999\r\n20000\r\n')
  await second.shim.call('reap', {pid})
  await remove(second, container)
  expect(await second.shim.call('close', {stdio: 0})).toMatchObject({lostStdout: 0})
})

test('a program that does not read its terminal holds up its own input alone; an end of file is typed', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const {shim} = supervisor
  const container = await makeContainer(
    harness,
    supervisor,
    ['sh', '-c', 'stty -icanon -echo; echo ready; sleep 1; stty icanon; cat; exit 3'],
    stdioFlags.terminal | stdioFlags.input,
  )
  const pid = await create(supervisor, container)
  expect(await supervisor.run(`${container.runc} start ${container.id}`)).toBe(0)
  await expect.poll(() => container.text(), soon).toContain('ready')
  let taken = 0
  const pending: Promise<unknown>[] = []
  for (let index = 0; index < 8 && pending.length === 0; index += 1) {
    const sent = shim.call('input', {stdio: 0, cookie: Buffer.alloc(0), bytes: Buffer.alloc(16 * 1024, '\n')}).then(() => {
      taken += 1
    })
    await Promise.race([sent, shim.call('status', {follow: false}).then(() => shim.call('status', {follow: false}))])
    if (taken <= index) pending.push(sent)
  }
  // Answered at once, whatever the terminal does.
  await shim.call('status', {follow: false})
  await Promise.all(pending)
  await shim.call('closeInput', {stdio: 0})
  await expect.poll(() => supervisor.exits, soon).toMatchObject([{pid, status: code(3)}])
  await shim.call('reap', {pid})
  await remove(supervisor, container)
})

test('an added process falls to the shim as init does', async () => {
  await using harness = await openShimHarness()
  const supervisor = await harness.next()
  const {shim, run, exits} = supervisor
  const container = await makeContainer(harness, supervisor, ['sleep', '1000'])
  const pid = await create(supervisor, container)
  expect(await run(`${container.runc} start ${container.id}`)).toBe(0)
  const directory = join(container.bundle, 'exec-io')
  mkdirSync(directory)
  await shim.call('open', {
    ...{stdio: 1, name: 'exec-1', flags: 0, directory, log: join(container.bundle, 'exec-log'), uid: nobody, gid: nobody},
    ...{maxBytes: 0, maxFiles: 0, columns: 0, rows: 0},
  })
  await shim.call('orphans', {mode: orphanModes.hold})
  const pidFile = join(container.bundle, 'exec-pid')
  expect(
    await run(
      `${container.runc} exec --detach --pid-file ${pidFile} ${container.id} sh -c 'echo added; exit 4' </dev/null 1<>${directory}/stdout 2<>${directory}/stderr`,
    ),
  ).toBe(0)
  const added = Number(readFileSync(pidFile, 'utf8'))
  await shim.call('watch', {pid: added, isStranger: false})
  await shim.call('orphans', {mode: orphanModes.reap})
  await expect.poll(() => exits, soon).toMatchObject([{pid: added, status: code(4)}])
  expect((await shim.call('drain', {stdio: 1})).stdout).toBe(6)
  process.kill(pid, 'SIGKILL')
  // The kernel does not end the init of a pid namespace before the last zombie in it has been reaped.
  await shim.call('reap', {pid: added})
  await expect.poll(() => exits.length, soon).toBe(2)
  await shim.call('reap', {pid})
  await remove(supervisor, container)
})
