/** Every kind of leftover, made for real beside containers that live: found, taken away, and nothing else touched. */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process'
import {closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, rmdirSync, utimesSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {StreamAPI} from 'nats'
import {afterAll, beforeAll, expect, test} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {connectTally} from '../../src/client/index.ts'
import type {FsckReport} from '../../src/fsck/main.ts'
import {makeFifo} from '../../src/linux/fifo.ts'
import {mount} from '../../src/linux/mount.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()
let children: ChildProcess[]
const memory = '/sys/fs/cgroup/memory'
const foreign = join(memory, `tally-foreign-node-${process.pid}`)
beforeAll(async () => {
  children = []
  const run = (name: string, ...args: readonly string[]) => node.tally('run', '-d', '--name', name, '--rootfs', node.rootfs, '--', ...args)
  await run('keep', 'sh', '-c', 'while true; do echo tick; sleep 0.2; done')
  await run('done', 'sh', '-c', 'exit 7')
  await run('gone', 'true')
  await node.tally('wait', 'done', 'gone')
  await node.tally('rm', 'gone')
  mkdirSync(foreign)
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  rmdirSync(foreign)
})

async function manage(work: (streams: StreamAPI) => Promise<unknown>): Promise<void> {
  await using client = await connectTally({runDir: node.runDir})
  await work((await client.connection.jetstreamManager()).streams)
}

async function fsck(
  ...args: readonly string[]
): Promise<FsckReport & {readonly exitCode: number | undefined; readonly codes: readonly string[]}> {
  const {exitCode, stdout, stderr} = await node.tally('fsck', '--json', ...args)
  expect(stderr).toBe('')
  const report: FsckReport = JSON.parse(stdout)
  return {...report, exitCode, codes: report.findings.map(({code, container}) => `${code} ${container}`).sort()}
}

/** What a supervisor leaves that was killed in the middle of a create, and whose directory was removed. */
function makeRuncContainer(id: string): void {
  const bundle = join(node.dir, id)
  mkdirSync(bundle)
  execFileSync('runc', ['spec', '--bundle', bundle])
  const file = join(bundle, 'config.json')
  const spec = JSON.parse(readFileSync(file, 'utf8'))
  spec.root = {path: node.rootfs}
  spec.process = {...spec.process, terminal: false, args: ['sleep', '1000']}
  writeFileSync(file, JSON.stringify(spec))
  execFileSync('runc', ['--root', join(node.runDir, 'runc/default'), 'run', '--detach', '--bundle', bundle, id], {stdio: 'ignore'})
}

async function orphanedGroup(): Promise<string> {
  const [first] = await node.events('gone')
  return join(memory, `tally-default-gone-${first?.uid.slice(0, 8)}`)
}

test('a node whose containers run, have stopped and are gone is clean', async () => {
  expect(await node.tally('fsck')).toEqual({exitCode: 0, stdout: 'node n1: everything agrees\n', stderr: ''})
  expect(await node.tally('fsck', '--repair')).toMatchObject({exitCode: 0})
})

test('leftovers of all kinds are found, and only told; repaired they are gone, and nothing else is', async () => {
  const before = await node.json<ContainerView[]>('ps', '-a')
  makeRuncContainer('ghost')
  const mounted = join(node.stateDir, 'containers/default/mounted/rootfs')
  mkdirSync(mounted, {recursive: true})
  mount({type: 'tmpfs', source: 'tmpfs', target: mounted})
  writeFileSync(join(mounted, 'precious'), 'x')
  const group = await orphanedGroup()
  mkdirSync(group)
  const held = spawn('sleep', ['1000'])
  children.push(held)
  writeFileSync(join(group, 'cgroup.procs'), String(held.pid))
  const fifos = join(node.runDir, 'containers/default/piped/io')
  mkdirSync(fifos, {recursive: true})
  makeFifo(join(fifos, 'stdout'), 0o600)
  const fd = openSync(join(fifos, 'stdout'), constants.O_RDWR)
  const reader = spawn('sleep', ['1000'], {stdio: [fd, 'ignore', 'ignore']})
  children.push(reader)
  closeSync(fd)

  const expected = [
    'CGROUP_ORPHAN default/gone',
    'JOURNAL_MISSING default/mounted',
    'MOUNT_ORPHAN default/mounted',
    'PROCESS_ORPHAN default/piped',
    'RUNTIME_ORPHAN default/ghost',
    'RUN_DIR_ORPHAN default/piped',
  ]
  const minuteAgo = Date.now() / 1_000 - 60
  utimesSync(join(node.stateDir, 'containers/default/mounted'), minuteAgo, minuteAgo)
  const found = await fsck()
  expect({exitCode: found.exitCode, codes: found.codes, notCompared: found.notCompared}).toEqual({
    exitCode: 1,
    codes: expected,
    notCompared: [],
  })
  expect([mounted, group, fifos, join(node.runDir, 'runc/default/ghost')].every((path) => existsSync(path))).toBe(true)
  const told = await node.tally('fsck')
  expect(told.stdout).toMatch(
    new RegExp(`^MOUNT_ORPHAN {5}default/mounted {2}${mounted} is mounted, and its container is not there; --repair unmounts it$`, 'm'),
  )

  const repaired = await fsck('--repair')
  expect(repaired.codes).toEqual(expected)
  expect(repaired.findings.filter((one) => !one.repaired).map(({code}) => code)).toEqual(['PROCESS_ORPHAN'])
  expect(repaired.exitCode).toBe(1)
  expect(
    [join(node.stateDir, 'containers/default/mounted'), group, fifos, join(node.runDir, 'runc/default/ghost')].filter((path) =>
      existsSync(path),
    ),
  ).toEqual([])
  await eventually('what was in the group is gone', () => held.signalCode === 'SIGKILL')
  expect([reader.exitCode, reader.signalCode, existsSync(foreign)]).toEqual([null, null, true])
  reader.kill('SIGKILL')
  await eventually('the process has ended', () => reader.signalCode !== null)
  expect((await fsck()).codes).toEqual([])
  expect(await node.json<ContainerView[]>('ps', '-a')).toEqual(before)
  expect((await node.tally('logs', '--tail', '1', 'keep')).stdout).toBe('tick\n')
})

test('events that are missing in the middle of the stream are found, and published again by the supervisor', async () => {
  await manage(async (streams) => {
    const {seq} = await streams.getMessage('TALLY_EVENTS', {last_by_subj: 'tally.evt.n1.default.keep.container.start-requested'})
    await streams.deleteMessage('TALLY_EVENTS', seq)
  })
  const found = await fsck()
  expect(found.codes).toEqual(['STREAM_DISORDERED default/keep'])
  expect(found.findings[0]?.message).toContain('events 1 to 2 as the journal has them, and then 4')
  expect(await fsck('--repair')).toMatchObject({exitCode: 0, findings: [{repaired: true}]})
  expect(await fsck()).toMatchObject({exitCode: 0, findings: []})
  expect((await node.events('keep')).map(({sequence}) => sequence)).toEqual(node.journal('keep').map((_, index) => index + 1))
})

test('what is doubled in the stream, and what it has not to its end, is found though the supervisor does not answer', async () => {
  const {supervisorPid} = await node.json<ContainerView>('inspect', 'done')
  sendSignal(supervisorPid, 'SIGSTOP')
  try {
    await using client = await connectTally({runDir: node.runDir})
    const {streams} = await client.connection.jetstreamManager()
    const {seq: last} = await streams.getMessage('TALLY_EVENTS', {last_by_subj: 'tally.evt.n1.default.done.>'})
    const {seq: doubled} = await client.connection
      .jetstream()
      .publish('tally.evt.n1.default.done.container.created', node.journal('done')[1])
    expect((await fsck()).codes).toEqual(['STREAM_DISORDERED default/done'])
    for (const seq of [last, doubled]) await streams.deleteMessage('TALLY_EVENTS', seq)
    expect((await fsck()).codes).toEqual(['STREAM_BEHIND default/done'])
  } finally {
    sendSignal(supervisorPid, 'SIGCONT')
  }
  expect(await fsck('--repair')).toMatchObject({exitCode: 0})
  expect(await fsck()).toMatchObject({exitCode: 0, findings: []})
  expect((await node.events('done')).map(({sequence}) => sequence)).toEqual(node.journal('done').map((_, index) => index + 1))
})

test('with coordinator and NATS down it tells what it could not compare, and finds a damaged line, whose advice helps', async () => {
  const {supervisorPid, state} = await node.json<ContainerView>('inspect', 'done')
  const whole = node.journal('done')
  await node.tally('down')
  sendSignal(supervisorPid, 'SIGKILL')
  const file = join(node.stateDir, 'containers/default/done/journal.jsonl')
  writeFileSync(file, `${whole.with(3, '{"specversion":"1.0",#').join('\n')}\n`)
  const found = await fsck()
  expect(found.codes).toEqual(['JOURNAL_DAMAGED default/done'])
  expect(found.findings[0]?.message).toContain(`${file}:4: `)
  expect(found.findings[0]?.message).toContain('head -n 3')
  expect(found.notCompared.join('\n')).toContain('journals with the stream: no NATS server answers')
  expect((await fsck('--repair')).findings.map(({repaired}) => repaired)).toEqual([false])

  writeFileSync(file, execFileSync('head', ['-n', '3', file]))
  // Its shim may have given up; with the node it tries again.
  expect((await fsck()).codes).toEqual([])
  await node.tally('up', '-d')
  await eventually('it is adopted', async () => (await node.tally('inspect', 'done')).exitCode === 0)
  expect(node.journal('done').slice(0, whole.length)).toEqual(whole)
  expect(await node.json<ContainerView>('inspect', 'done')).toMatchObject({state, exit: {type: 'code', code: 7}})
  expect(await fsck()).toMatchObject({exitCode: 0, findings: []})
})

test('without a node there is nothing to compare', async () => {
  const ran = await node.tally('fsck', '--state-dir', join(node.dir, 'nowhere'))
  expect(ran).toMatchObject({exitCode: 1, stderr: expect.stringContaining('[STATE_DIR_INVALID]')})
})
