/** The wall clock of a node is set while something is due: whatever has a duration follows the kernel's other clocks. */
import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {execa} from 'execa'
import {describe, expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {connectTally} from '../../src/client/index.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode} from '../support/tally-node.ts'

const shim = pathToFileURL(join(import.meta.dirname, '../fixtures/wall-clock.mjs'))
const ways = [
  ['back', -2],
  ['forward', 2],
] as const

/** Each test has a node, and with it a clock, of its own, so that they can wait at the same time. */
async function startClockedNode() {
  await using stack = new AsyncDisposableStack()
  const node = stack.use(await startNode({up: false}))
  const offsetFile = join(node.dir, 'offset')
  /** The wall clock of coordinator and supervisors, in hours from what it is; all other clocks are the kernel's. */
  const setClock = (hours: number) => writeFileSync(offsetFile, String(hours * 3_600_000))
  setClock(0)
  stack.defer(() => setClock(0))
  const env = {...node.env, NODE_OPTIONS: `--import ${shim}?${encodeURIComponent(offsetFile)}`}
  await execa(join(import.meta.dirname, '../../bin/tally'), ['up', '-d'], {env, timeout: 120_000})
  const inspect = (id: string) => node.json<ContainerView>('inspect', id)
  const owned = stack.move()
  return {
    node,
    setClock,
    inspect,
    killSupervisor: async (id: string) => sendSignal((await inspect(id)).supervisorPid, 'SIGKILL'),
    run: async (id: string, ...args: readonly string[]) =>
      expect(await node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, ...args)).toMatchObject({exitCode: 0, stderr: ''}),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

describe.concurrent('with the wall clock set', () => {
  it('a node has the time that a test sets', async () => {
    await using clocked = await startClockedNode()
    clocked.setClock(-2)
    await clocked.run('now', 'true')
    const {createdAt = ''} = await clocked.inspect('now')
    expect(Date.now() - Date.parse(createdAt)).toBeGreaterThan(3_600_000)
  })

  it.each(ways)('%s, a stop kills when its time has passed, under another supervisor as well', async (_, hours) => {
    await using clocked = await startClockedNode()
    const {node, inspect} = clocked
    await clocked.run('deaf', 'sh', '-c', 'trap "" TERM; while true; do sleep 1; done')
    const stopped = node.tally('stop', '-t', '8', 'deaf')
    await eventually('the stop is under way', async () => (await inspect('deaf')).stop !== undefined)
    const askedAt = performance.now()
    clocked.setClock(hours)
    await clocked.killSupervisor('deaf')
    expect(await stopped).toMatchObject({exitCode: 0})
    expect(performance.now() - askedAt).toBeGreaterThan(6_000)
    expect((await node.events('deaf')).map(({type}) => type)).toContain('container.stop-timed-out')
  })

  it.each(ways)('%s, a restart comes when its time has come, under another supervisor as well', async (_, hours) => {
    await using clocked = await startClockedNode()
    const {node, inspect} = clocked
    await using client = await connectTally({runDir: node.runDir})
    await client.create({
      id: 'restarted',
      rootfs: node.rootfs,
      args: ['sh', '-c', 'test -f /once && exec sleep 600; touch /once; exit 1'],
      overlay: true,
      restart: {policy: 'always', delayMs: 12_000, maxDelayMs: 12_000},
    })
    await client.container('restarted').start()
    await eventually('it waits', async () => (await inspect('restarted')).state === 'waiting')
    const waitsSince = performance.now()
    clocked.setClock(hours)
    await clocked.killSupervisor('restarted')
    await eventually('it is back', async () => (await inspect('restarted')).state === 'running')
    // At least half of the delay, which began a moment before the test saw it.
    expect(performance.now() - waitsSince).toBeGreaterThan(4_000)
  })

  it('failed checks do not count within the start period, and do after it', async () => {
    await using clocked = await startClockedNode()
    const {node, inspect} = clocked
    const check = ['--health-cmd', 'echo >> /checks; exit 1', '--health-interval', '0.2s', '--health-start-interval', '0.2s']
    await clocked.run('early', ...check, '--health-retries', '1', '--health-start-period', '20s', 'sleep', '600')
    const countChecks = () => readFileSync(join(node.stateDir, 'containers/default/early/overlay/upper/checks'), 'utf8').length
    const checkOn = async () => {
      const before = countChecks()
      await eventually('more checks', () => countChecks() > before + 3)
    }
    await eventually('it is checked', async () => (await node.tally('exec', 'early', 'test', '-f', '/checks')).exitCode === 0)
    clocked.setClock(2)
    await checkOn()
    expect((await inspect('early')).health).toEqual({status: 'starting'})
    await clocked.killSupervisor('early')
    await checkOn()
    expect((await inspect('early')).health).toEqual({status: 'starting'})
    clocked.setClock(-2)
    await eventually('it is unhealthy', async () => (await inspect('early')).health?.status === 'unhealthy')
  })

  it('forward again and again, a container that does not run for long has not recovered', async () => {
    await using clocked = await startClockedNode()
    const {node} = clocked
    await using client = await connectTally({runDir: node.runDir})
    await client.create({
      id: 'falls',
      rootfs: node.rootfs,
      args: ['sh', '-c', 'sleep 3; exit 1'],
      restart: {policy: 'on-failure', maxRetries: 1, delayMs: 100, windowMs: 3_600_000},
    })
    await client.container('falls').start()
    let hours = 0
    await eventually('it is given up', async () => {
      hours += 2
      clocked.setClock(hours)
      return (await node.events('falls')).some(({type}) => type === 'container.restart-gave-up')
    })
    expect((await node.events('falls')).filter(({type}) => type === 'container.started')).toHaveLength(2)
  })

  it('back, a lease of output does not last longer than was asked for', async () => {
    await using clocked = await startClockedNode()
    const {node} = clocked
    await using client = await connectTally({runDir: node.runDir})
    await client.create({id: 'leased', rootfs: node.rootfs, args: ['true'], autoRemove: true})
    const leased = client.container('leased')
    await leased.output('stdout', 0, {holdMs: 8_000})
    await leased.start()
    await leased.wait()
    clocked.setClock(-2)
    await eventually('it is removed', async () => (await node.tally('inspect', 'leased')).exitCode !== 0)
  })
})
