/** `tally upgrade`: a node moves to another build of the program, and its containers do not notice. */
import {appendFileSync, readFileSync, readlinkSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {ContainerView, NodeInfo} from '../../machines/views/view.ts'
import {connectTally} from '../../src/client/index.ts'
import {connectShimControl, type ShimStatus} from '../../src/shim/client/control.ts'
import {findReadySupervisor, findShim, findSupervisor} from '../support/find-supervisor.ts'
import {buildOther, type OtherBuild} from '../support/other-build.ts'
import {startPtySession} from '../support/pty-session.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, type TallyNode, useNode} from '../support/tally-node.ts'
import {makeRunDirectory} from '../support/test-run.ts'

const nextVersion = '99.0.0'
const dirs: string[] = []
let next: OtherBuild
let broken: OtherBuild

beforeAll(async () => {
  next = await buildOther(makeDir(), nextVersion)
  broken = await buildOther(makeDir(), '99.9.9')
}, 120_000)
afterAll(() => {
  for (const dir of dirs) rmSync(dir, {recursive: true, force: true})
})

function makeDir(): string {
  const dir = makeRunDirectory('it')
  dirs.push(dir)
  return dir
}

async function upgrade(node: TallyNode, build: OtherBuild, ...args: readonly string[]) {
  const {exitCode, stdout, stderr} = await execa(build.tally, ['upgrade', ...args], {env: node.env, reject: false, timeout: 120_000})
  return {exitCode, stdout, stderr}
}

async function status(node: TallyNode, id: string): Promise<ShimStatus | undefined> {
  try {
    using control = await connectShimControl(join(node.runDir, 'containers/default', id, 'shim.sock'))
    return await control.status()
  } catch {
    return undefined
  }
}

/** Those of the services API: who answers is not woken by it. */
async function listVersions(node: TallyNode): Promise<Readonly<Record<string, string>>> {
  await using client = await connectTally({runDir: node.runDir})
  const versions: Record<string, string> = {}
  const monitor = client.connection.services.client()
  for await (const {name, version, metadata} of await monitor.info()) versions[metadata?.['id'] ?? name] = version
  return versions
}

const images = (node: TallyNode, ids: readonly string[]) => ids.map((id) => readlinkSync(`/proc/${findShim(node, id)}/exe`))
const numbers = (text: string) => text.split('\n').filter(Boolean).map(Number)
const count = Array.from({length: 150}, (_, index) => index + 1)
const counting = 'for i in $(seq 1 150); do echo $i; sleep 0.1; done; exit 7'
const shimOf = ({root}: OtherBuild) => join(root, 'dist', process.arch, 'tally-shim')

async function run(node: TallyNode, id: string, script: string): Promise<void> {
  expect(await node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, '--', 'sh', '-c', script)).toMatchObject({exitCode: 0})
}

describe('upgrade', () => {
  const node = useNode({args: ['--sleep-after', '2s']})

  it('moves everything, and touches no container, terminal, reader, output or exit status', async () => {
    await run(node, 'stopped', 'exit 3')
    await run(node, 'sleeps', 'exec sleep 600')
    await eventually('it sleeps', async () => (await status(node, 'sleeps'))?.phase === 'asleep')
    await eventually('nothing is left of it', async () => (await status(node, 'stopped')) === undefined)
    await run(node, 'counts', counting)
    const following = node.spawn('logs', '-f', 'counts')
    await using session = await startPtySession(
      `${next.tally} run -it --name shell --rootfs ${node.rootfs} sh; echo "status $?"; exec cat`,
      {env: node.env},
    )
    await session.waitFor(/\/ # /)
    session.send('echo $((40 + 2)); var=kept\n')
    await session.waitFor(/\n42\r\n/)
    const live = ['counts', 'shell', 'sleeps']
    const pids = async () => (await node.json<readonly ContainerView[]>('ps')).map(({id, pid}) => [id, pid]).toSorted()
    const [pidsBefore, infoBefore, startsBefore] = [await pids(), await node.info(), (await status(node, 'sleeps'))?.starts]

    const upgraded = await upgrade(node, next, '--json')
    expect(upgraded).toMatchObject({exitCode: 0, stderr: ''})
    const {upgraded: moved, asleep, atRest, kept, coordinator} = JSON.parse(upgraded.stdout)
    expect({moved: moved.toSorted(), asleep, atRest, kept, coordinator}).toEqual({
      moved: live.map((id) => `default/${id}`),
      asleep: ['default/sleeps'],
      atRest: ['default/stopped'],
      kept: [],
      coordinator: {outcome: 'upgraded', version: nextVersion},
    })
    session.send('echo $var after\n')
    await session.waitFor(/\nkept after\r\n/)
    expect(await listVersions(node)).toMatchObject({'tally-coordinator': nextVersion, counts: nextVersion, shell: nextVersion})
    expect(images(node, live)).toEqual(live.map(() => shimOf(next)))
    const info: NodeInfo = await node.info()
    expect(info).toMatchObject({version: nextVersion, natsPid: infoBefore.natsPid, parent: {pid: infoBefore.parent?.pid, deaths: 0}})
    expect(readlinkSync(`/proc/${info.parent?.pid}/exe`)).toBe(shimOf(next))
    await eventually('one is ready', () => findReadySupervisor(node) !== undefined)
    expect(await pids()).toEqual(pidsBefore)

    expect((await status(node, 'sleeps'))?.starts).toBe(startsBefore)
    expect(await node.tally('exec', 'sleeps', 'sh', '-c', 'exit 4')).toMatchObject({exitCode: 4})
    expect(await listVersions(node)).toMatchObject({sleeps: nextVersion})
    session.send('exit 5\n')
    await session.waitFor(/status 5/)
    const followed = await following
    expect([followed.exitCode, numbers(followed.stdout), followed.stderr]).toEqual([0, count, ''])
    expect(numbers((await node.tally('logs', 'counts')).stdout)).toEqual(count)
    expect(await node.tally('wait', 'counts')).toMatchObject({exitCode: 0, stdout: '7\n'})
    expect((await node.tally('rm', 'stopped')).exitCode).toBe(0)
    expect((await node.events()).map(({type}) => type).filter((type) => type.startsWith('supervisor.'))).toEqual([])
  })

  it('is done again without an effect, and the other way round', async () => {
    await run(node, 'awake', 'exec sleep 600')
    expect((await upgrade(node, next)).stdout).toContain(`coordinator: current (${nextVersion})`)
    const before = findSupervisor(node, 'awake')
    expect((await upgrade(node, next)).exitCode).toBe(0)
    if ((await status(node, 'awake'))?.phase === 'up') expect(findSupervisor(node, 'awake')).toBe(before)
    expect(await node.tally('upgrade')).toMatchObject({exitCode: 0})
    expect((await node.info()).version).not.toBe(nextVersion)
  })

  it('is interrupted, and goes on with the next', async () => {
    const upgrading = execa(next.tally, ['upgrade'], {env: node.env, reject: false})
    const {coordinatorPid} = await node.info()
    await eventually('its coordinator has been replaced', async () => (await node.info()).coordinatorPid !== coordinatorPid)
    upgrading.kill('SIGKILL')
    sendSignal((await node.info()).coordinatorPid, 'SIGKILL')
    await upgrading
    expect(await upgrade(node, next)).toMatchObject({exitCode: 0, stderr: ''})
    expect(images(node, ['awake', 'sleeps'])).toEqual([shimOf(next), shimOf(next)])
    expect(await node.tally('exec', 'awake', 'sh', '-c', 'exit 4')).toMatchObject({exitCode: 4})
  })
})

describe('an upgrade to a version that is broken', () => {
  const node = useNode({args: ['--sleep-after', 'never']})

  it('goes back to the supervisor before, and says so', async () => {
    await run(node, 'on', counting)
    const {version} = await node.info()
    // It can be loaded, and dies as soon as it has a container.
    appendFileSync(join(broken.root, 'dist/supervisor.js'), "\nif (process.argv.length > 3) throw new Error('broken')\n")
    const upgraded = await upgrade(node, broken, '--json')
    expect(upgraded.exitCode).toBe(1)
    const {kept, coordinator} = JSON.parse(upgraded.stdout)
    expect(coordinator).toMatchObject({outcome: 'upgraded', version: '99.9.9'})
    expect(kept).toEqual([{container: 'default/on', why: expect.stringContaining(`it is back at ${version}`)}])
    expect(await listVersions(node)).toMatchObject({on: version})
    expect(await node.tally('upgrade')).toMatchObject({exitCode: 0})
    expect(await node.tally('wait', 'on')).toMatchObject({stdout: '7\n'})
    expect(numbers((await node.tally('logs', 'on')).stdout)).toEqual(count)
    expect((await node.events('on')).some(({type}) => type === 'supervisor.gave-up')).toBe(false)
  })

  it('goes back to the coordinator before, moves no container, and says so', async () => {
    const {version, parent} = await node.info()
    await run(node, 'left', 'exec sleep 600')
    const former = await status(node, 'left')
    const coordinator = join(broken.root, 'dist/coordinator.js')
    const program = readFileSync(coordinator, 'utf8')
    writeFileSync(coordinator, "if (process.argv.includes('--version')) console.log('99.9.9')\nelse throw new Error('no coordinator')\n")
    const upgraded = await upgrade(node, broken, '--json')
    writeFileSync(coordinator, program)
    expect(upgraded.exitCode).toBe(1)
    expect(JSON.parse(upgraded.stdout)).toMatchObject({
      upgraded: [],
      kept: [],
      coordinator: {outcome: 'kept', version, why: expect.stringContaining(`${version} is back`)},
    })
    expect(await node.info()).toMatchObject({version, parent: {pid: parent?.pid}})
    expect(await status(node, 'left')).toEqual(former)
    expect(await node.tally('rm', '-f', 'left')).toMatchObject({exitCode: 0})
  })

  it('moves nothing when a program cannot be started at all', async () => {
    const before = await node.info()
    writeFileSync(join(broken.root, 'dist/supervisor.js'), "throw new Error('broken at once')\n")
    const upgraded = await upgrade(node, broken)
    expect(upgraded.exitCode).toBe(1)
    expect(upgraded.stderr).toMatch(/supervisor\.js cannot be executed, nothing was moved: .*broken at once.*\[UNSUPPORTED\]/)
    expect(await node.info()).toMatchObject({version: before.version, coordinatorPid: before.coordinatorPid})
  })
})
