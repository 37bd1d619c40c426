/** `tally up -d` starts the coordinator beneath a shim, which starts it again when it has died. */
import {existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:net'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {describe, expect, it} from 'vitest'
import type {ContainerView, ProcessView} from '../../machines/views/view.ts'
import {
  isAlive,
  isSameProcess,
  listProcesses,
  type ProcessIdentity,
  readProcessIdentity,
  readProcessStat,
} from '../../src/linux/process-table.ts'
import {connectShimControl} from '../../src/shim/client/control.ts'
import {findSupervisor} from '../support/find-supervisor.ts'
import {listProcessesThatName} from '../support/leaks.ts'
import {startNatsServer} from '../support/nats-server.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, type TallyNode, useNode} from '../support/tally-node.ts'

const untilTold = "trap 'exit 7' USR1; while :; do sleep 0.05; done"
/** Whoever is asked after the death of a coordinator. */
const patienceMs = 2_000

function identify(pid: number | null | undefined): ProcessIdentity {
  const identity = readProcessIdentity(pid ?? 0)
  if (!identity) throw new Error(`expected a process, got ${pid}`)
  return identity
}

async function killCoordinator(node: Pick<TallyNode, 'info'>): Promise<number> {
  const {coordinatorPid} = await node.info()
  sendSignal(coordinatorPid, 'SIGKILL')
  return coordinatorPid
}

/** A supervisor that was started in advance ends a moment after its coordinator. */
async function expectNothing({dir}: Pick<TallyNode, 'dir'>): Promise<void> {
  await eventually('nothing is left', () => listProcessesThatName(dir).length === 0, 5_000).catch(() => {})
  expect(listProcessesThatName(dir)).toEqual([])
}

/** Lists the numbers of lines. */
const numbers = (text: string) => text.split('\n').filter(Boolean).map(Number)

describe('a coordinator that is killed', () => {
  const node = useNode()
  const run = (...args: readonly string[]) => node.tally('run', '--rootfs', node.rootfs, ...args)

  it('is there again within 2 s, with the same nats-server, stream and supervisors, and info says so', async () => {
    // Of a try that failed.
    await node.tally('rm', '-f', 'on')
    expect(await run('-d', '--name', 'on', '--', 'sh', '-c', untilTold)).toMatchObject({exitCode: 0})
    const before = await node.info()
    const events = await node.events()
    const supervisor = identify(findSupervisor(node, 'on'))
    expect(before.parent).toMatchObject({starts: 1, deaths: 0})
    expect(readProcessStat(before.coordinatorPid)?.parentPid).toBe(before.parent?.pid)

    sendSignal(before.coordinatorPid, 'SIGKILL')
    const fromMs = performance.now()
    const after = await node.info()
    const tookMs = performance.now() - fromMs
    expect(tookMs).toBeLessThan(patienceMs)
    expect(after).toMatchObject({natsPid: before.natsPid, natsUrl: before.natsUrl, containers: {running: 1}})
    expect(after.coordinatorPid).not.toBe(before.coordinatorPid)
    expect(after.parent).toEqual({pid: before.parent?.pid, starts: 2, deaths: 1})
    expect((await node.tally('info')).stdout).toMatch(/^Parent +pid \d+, 2 starts, 1 death$/m)
    expect(await node.events()).toEqual(events)
    expect(isAlive(supervisor)).toBe(true)
    expect(await node.tally('rm', '-f', 'on')).toMatchObject({exitCode: 0})
  })

  it('is waited for by a create that was under way, which is carried out once', async () => {
    const creating = Array.from({length: 4}, (_, index) =>
      node.tally('create', '--name', `c${index}`, '--rootfs', node.rootfs, '--', 'true'),
    )
    await eventually('one is under way', () => existsSync(join(node.stateDir, 'containers/default')))
    await killCoordinator(node)
    for (const created of await Promise.all(creating)) expect(created).toMatchObject({exitCode: 0, stderr: ''})
    for (const index of [0, 1, 2, 3]) {
      const requested = (await node.events(`c${index}`)).filter(({type}) => type === 'container.create-requested')
      expect(requested).toHaveLength(1)
      expect(await node.tally('rm', `c${index}`)).toMatchObject({exitCode: 0})
    }
  })

  it('does not disturb run in the foreground and logs -f, and a command that is given in between waits', async () => {
    const script = 'for i in $(seq 1 100); do echo $i; sleep 0.03; done; exit 5'
    const running = node.spawn('run', '--name', 'counts', '--rootfs', node.rootfs, '--', 'sh', '-c', script)
    await eventually('it runs', async () => (await node.tally('logs', 'counts')).stdout.includes('3\n'))
    const following = node.spawn('logs', '-f', 'counts')
    await killCoordinator(node)
    expect(await node.tally('ps', '-q')).toMatchObject({exitCode: 0, stdout: 'counts\n', stderr: ''})
    const all = Array.from({length: 100}, (_, index) => index + 1)
    const [ran, followed] = await Promise.all([running, following])
    expect([ran.exitCode, numbers(ran.stdout)]).toEqual([5, all])
    expect([followed.exitCode, numbers(followed.stdout)]).toEqual([0, all])
    expect(await node.tally('rm', 'counts')).toMatchObject({exitCode: 0})
  })

  it('is not found by another up -d while it is away', async () => {
    await killCoordinator(node)
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 1, stderr: expect.stringContaining('[NODE_RUNNING]')})
    expect(await node.tally('ps')).toMatchObject({exitCode: 0})
  })

  it('with its nats-server starts that as well, and a command waits for both', async () => {
    const {natsPid, coordinatorPid, natsUrl} = await node.info()
    const events = await node.events()
    sendSignal(coordinatorPid, 'SIGKILL')
    sendSignal(natsPid, 'SIGKILL')
    const after = await node.info()
    expect(after.natsPid).not.toBe(natsPid)
    expect(after.natsUrl).toBe(natsUrl)
    expect(await node.events()).toEqual(events)
  })
})

describe('a container that ends while coordinator and supervisor are dead together', () => {
  it.each(['init', 'an added process'])('has its true exit status, since the shim keeps it: %s', async (which) => {
    await using node = await startNode()
    const runs = await node.tally('run', '-d', '--name', 'on', '--rootfs', node.rootfs, '--', 'sh', '-c', untilTold)
    expect(runs).toMatchObject({exitCode: 0})
    expect(await node.tally('exec', '-d', '--id', 'added', 'on', 'sh', '-c', untilTold.replace('7', '9'))).toMatchObject({exitCode: 0})
    const {pid} = which === 'init' ? await node.json<ContainerView>('inspect', 'on') : await added(node)
    const process = identify(pid)
    const {coordinatorPid} = await node.info()
    sendSignal(coordinatorPid, 'SIGSTOP')
    sendSignal(findSupervisor(node, 'on'), 'SIGKILL')
    sendSignal(coordinatorPid, 'SIGKILL')
    sendSignal(pid, 'SIGUSR1')
    await eventually('it has ended', () => !isAlive(process))
    if (which === 'init') expect((await node.tally('wait', 'on')).stdout).toBe('7\n')
    else expect((await node.tally('wait', '--exec', 'added', 'on')).stdout).toBe('9\n')
    await eventually('it is reaped', () => !isSameProcess(process))
    expect(await node.tally('rm', '-f', 'on')).toMatchObject({exitCode: 0})
  })
})

async function added(node: TallyNode): Promise<ProcessView> {
  const [view] = await node.json<readonly ProcessView[]>('execs', 'on')
  if (!view) throw new Error('expected an added process')
  return view
}

it('ten coordinators that are killed in a row are replaced, and a supervisor stays', async () => {
  await using node = await startNode()
  expect(await node.tally('run', '-d', '--name', 'on', '--rootfs', node.rootfs, '--', 'sh', '-c', untilTold)).toMatchObject({exitCode: 0})
  const supervisor = identify(findSupervisor(node, 'on'))
  const {natsPid, parent} = await node.info()
  const pids = new Set<number>()
  for (let kills = 0; kills < 10; kills += 1) pids.add(await killCoordinator(node))
  expect(await node.info()).toMatchObject({natsPid, parent: {pid: parent?.pid, starts: 11, deaths: 10}, containers: {running: 1}})
  expect(pids.size).toBe(10)
  expect(isAlive(supervisor)).toBe(true)
  expect((await node.events('on')).map(({type}) => type)).not.toContain('supervisor.adopted')
})

describe('a shim that is killed', () => {
  it('is replaced by its coordinator, which is started again', async () => {
    await using node = await startNode()
    const before = await node.info()
    sendSignal(before.parent?.pid, 'SIGKILL')
    await eventually('another', async () => (await node.tally('info', '--json')).stdout.includes(`"pid": ${before.coordinatorPid}`))
    const after = await node.info()
    expect(after).toMatchObject({parent: {pid: before.coordinatorPid, starts: 1}, natsPid: before.natsPid})
    await killCoordinator(node)
    expect(await node.info()).toMatchObject({parent: {pid: before.coordinatorPid, starts: 2}})
    expect(await node.tally('down')).toMatchObject({exitCode: 0, stdout: 'ended\n'})
    await expectNothing(node)
  })
})

describe('down', () => {
  it.each([0, 60, 150, 250, 350, 450])('ends a coordinator that was killed %i ms before', async (afterMs) => {
    await using node = await startNode()
    await killCoordinator(node)
    await sleep(afterMs)
    expect(await node.tally('down')).toMatchObject({exitCode: 0, stdout: 'ended\n', stderr: ''})
    await expectNothing(node)
  })

  it.each(['SIGSTOP', 'SIGKILL'] as const)('ends the shim of a coordinator that gets %s meanwhile', async (signal) => {
    await using node = await startNode()
    const {coordinatorPid} = await node.info()
    if (signal === 'SIGSTOP') sendSignal(coordinatorPid, signal)
    const ending = node.tally('down')
    if (signal === 'SIGKILL') await eventually('killed', () => killOnce(coordinatorPid))
    expect(await ending).toMatchObject({exitCode: 0, stdout: 'ended\n'})
    await expectNothing(node)
  })

  it('with --containers waits for a coordinator that is started again', async () => {
    await using node = await startNode()
    expect(await node.tally('run', '-d', '--name', 'on', '--rootfs', node.rootfs, '--', 'sleep', '1000')).toMatchObject({exitCode: 0})
    await killCoordinator(node)
    expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0, stdout: 'ended\n'})
    await expectNothing(node)
  })
})

/** @returns true, once */
function killOnce(pid: number): boolean {
  sendSignal(pid, 'SIGKILL')
  return true
}

it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('a coordinator that is ended by %s takes its shim with it', async (signal) => {
  await using node = await startNode()
  const {coordinatorPid, parent, natsPid} = await node.info()
  const all = [coordinatorPid, parent?.pid, natsPid].map(identify)
  sendSignal(coordinatorPid, signal)
  await eventually('all have ended', () => !all.some(isAlive))
  await expectNothing(node)
  expect(await node.tally('ps')).toMatchObject({exitCode: 1, stderr: expect.stringContaining('[NODE_NOT_RUNNING]')})
})

describe('a first start that fails', () => {
  const node = useNode({up: false})

  it.each([
    ['wrong nats-server', ['--nats-server', '/bin/false'], 'NATS_'],
    ['no nats-server', ['--nats-server', '/nonexistent'], 'NATS_NOT_FOUND'],
    ['NATS that is away', ['--nats', 'nats://127.0.0.1:1'], 'NATS_UNREACHABLE'],
  ])('is reported once and at once, and nothing is left: %s', async (_, args, code) => {
    const fromMs = performance.now()
    const {exitCode, stderr} = await node.tally('up', '-d', ...args)
    expect({exitCode, stderr}).toEqual({exitCode: 1, stderr: expect.stringMatching(new RegExp(`^tally: [^[]*\\[${code}\\w*\\]\\n$`))})
    expect(performance.now() - fromMs).toBeLessThan(14_000)
    await expectNothing(node)
  })

  it('a port that is in use', async () => {
    const server = createServer()
    const {promise, resolve} = Promise.withResolvers<void>()
    server.listen(0, '127.0.0.1', resolve)
    await promise
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const {exitCode, stderr} = await node.tally('up', '-d', '--http', `127.0.0.1:${address.port}`)
    server.close()
    expect({exitCode, stderr}).toEqual({exitCode: 1, stderr: expect.stringMatching(/^tally: .* \[HTTP_ADDRESS_UNUSABLE\]\n$/)})
    await expectNothing(node)
  })

  it('a second coordinator on the state directory, which stays as it was', async () => {
    await using own = await startNode()
    const before = await own.info()
    const second = await own.tally('--run-dir', join(own.dir, 'run2'), 'up', '-d')
    expect(second).toMatchObject({exitCode: 1, stderr: expect.stringMatching(/already runs on the state directory.*\[NODE_RUNNING\]\n$/)})
    expect(await own.info()).toMatchObject({coordinatorPid: before.coordinatorPid, parent: before.parent})
    const shims = listProcesses().filter((pid) => readProcessStat(pid) && isShimOfCoordinator(pid, own.dir))
    expect(shims).toEqual([before.parent?.pid])
  })
})

function isShimOfCoordinator(pid: number, dir: string): boolean {
  try {
    const [title, environment] = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1'))
    return title?.startsWith('tally-shim (coordinator') === true && environment?.includes(dir) === true
  } catch {
    return false
  }
}

describe('a coordinator that dies again and again', () => {
  it('is given up: up -d, info and others say so, with its last error, and up -d starts it again', async () => {
    await using node = await startNode()
    expect(await node.tally('run', '-d', '--name', 'on', '--rootfs', node.rootfs, '--', 'sleep', '1000')).toMatchObject({exitCode: 0})
    const supervisor = identify(findSupervisor(node, 'on'))
    // It cannot read this, and ends with an error each time.
    const file = join(node.stateDir, 'node')
    const name = readFileSync(file)
    writeFileSync(file, 'not a name\n')
    await killCoordinator(node)
    await isGivenUp(node)
    const why = /given up.*expected a node name in .*\[STATE_DIR_INVALID\]/
    expect(await node.tally('info')).toMatchObject({exitCode: 1, stderr: expect.stringMatching(why)})
    expect(await node.tally('ps')).toMatchObject({exitCode: 1, stderr: expect.stringMatching(/given up.*\[NODE_NOT_RUNNING\]/)})
    // It says so, tries again, and fails again.
    const tried = await node.tally('up', '-d')
    expect(tried).toMatchObject({exitCode: 1, stderr: expect.stringMatching(why)})
    expect(tried.stderr).toMatch(/\[STATE_DIR_INVALID\]\n$/)
    writeFileSync(file, name)
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0, stderr: ''})
    expect(await node.info()).toMatchObject({parent: {starts: 1, deaths: 0}, containers: {running: 1}})
    expect(isAlive(supervisor)).toBe(true)
  })

  it('is ended by down when it is given up', async () => {
    await using node = await startNode()
    const file = join(node.stateDir, 'node')
    const name = readFileSync(file)
    writeFileSync(file, 'not a name\n')
    await killCoordinator(node)
    await isGivenUp(node)
    expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 1, stderr: expect.stringContaining('[NODE_NOT_RUNNING]')})
    expect(await node.tally('down')).toMatchObject({exitCode: 0, stdout: 'ended\n'})
    await expectNothing(node)
    writeFileSync(file, name)
  })
})

async function isGivenUp({runDir}: TallyNode): Promise<void> {
  const phase = async () => {
    using control = await connectShimControl(join(runDir, 'node.sock'))
    return (await control.status()).phase
  }
  await eventually('it is given up', async () => (await phase()) === 'gave-up', 120_000)
}

it('a coordinator that is killed while an outside nats-server is away waits for that, and is not given up', async () => {
  await using nats = await startNatsServer()
  await using node = await startNode({up: false})
  Object.assign(node.env, {TALLY_PASSWORD: nats.credentials.password})
  const login = ['--nats', nats.url, '--user', nats.credentials.user]
  expect(await node.tally('up', '-d', ...login)).toMatchObject({exitCode: 0, stderr: ''})
  const {coordinatorPid} = await node.info()
  await nats.kill()
  sendSignal(coordinatorPid, 'SIGKILL')
  const status = async () => {
    using control = await connectShimControl(join(node.runDir, 'node.sock'))
    return await control.status()
  }
  await eventually('another', async () => (await status()).starts === 2)
  await sleep(5_000)
  expect(await status()).toMatchObject({phase: 'up', starts: 2, deaths: 1})
  await nats.restart()
  expect(await node.info()).toMatchObject({parent: {starts: 2, deaths: 1}})
  // And it can be ended while it waits.
  await nats.kill()
  sendSignal((await status()).pid, 'SIGKILL')
  await eventually('another', async () => (await status()).starts === 3)
  expect(await node.tally('down')).toMatchObject({exitCode: 0, stdout: 'ended\n'})
  await expectNothing(node)
})

it('a run directory that is wiped has the socket again', async () => {
  await using node = await startNode()
  const socket = join(node.runDir, 'node.sock')
  for (const which of ['with a coordinator', 'without'] as const) {
    if (which === 'without') await killCoordinator(node)
    rmSync(node.runDir, {recursive: true, force: true})
    mkdirSync(node.dir, {recursive: true})
    await eventually('it is back', () => existsSync(socket))
    await killCoordinator(node)
    expect(await node.tally('ps')).toMatchObject({exitCode: 0})
    expect(readdirSync(node.runDir)).toContain('connection.json')
  }
})
