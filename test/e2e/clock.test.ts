import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {execa} from 'execa'
import {afterAll, beforeAll, expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {connectTally} from '../../src/client/index.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode({up: false})

const offsetFile = () => join(node.dir, 'offset')
/** The wall clock of coordinator and supervisors, in hours from what it is; all other clocks are the kernel's. */
const setClock = (hours: number) => writeFileSync(offsetFile(), String(hours * 3_600_000))
const inspect = (id: string) => node.json<ContainerView>('inspect', id)
const killSupervisor = async (id: string) => process.kill((await inspect(id)).supervisorPid ?? 0, 'SIGKILL')
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
/** Deaf to SIGTERM. */
const deaf = ['sh', '-c', 'trap "" TERM; while true; do sleep 1; done']
const run = async (id: string, ...args: readonly string[]) =>
  expect(await node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, ...args)).toMatchObject({exitCode: 0, stderr: ''})

beforeAll(async () => {
  setClock(0)
  const shim = `${pathToFileURL(join(import.meta.dirname, '../fixtures/wall-clock.mjs'))}?${encodeURIComponent(offsetFile())}`
  const env = {...node.env, NODE_OPTIONS: `--import ${shim}`}
  await execa(join(import.meta.dirname, '../../bin/tally'), ['up', '-d'], {env, timeout: 60_000})
})
afterAll(async () => {
  setClock(0)
})

it('the clock that the tests set is that of the node', async () => {
  setClock(-2)
  await run('now', 'true')
  const {createdAt = ''} = await inspect('now')
  expect(Date.now() - Date.parse(createdAt)).toBeGreaterThan(3_600_000)
  setClock(0)
})

it.each([
  ['back', -2],
  ['forward', 2],
])('a stop kills when its time has passed, whichever supervisor is there then, with the clock set %s', async (way, offset) => {
  setClock(0)
  await run(way, ...deaf)
  const stopped = node.tally('stop', '-t', '12', way)
  await eventually('the stop is under way', async () => (await inspect(way)).stop !== undefined)
  const askedAt = performance.now()
  setClock(offset)
  await killSupervisor(way)
  expect(await stopped).toMatchObject({exitCode: 0})
  const tookMs = performance.now() - askedAt
  expect(tookMs).toBeGreaterThan(10_000)
  expect(tookMs).toBeLessThan(40_000)
  expect((await node.events(way)).map(({type}) => type)).toContain('container.stop-timed-out')
})

it.each([
  ['back', -2],
  ['forward', 2],
])('a restart comes when its time has come, whichever supervisor is there then, with the clock set %s', async (way, offset) => {
  setClock(0)
  await using client = await connectTally({runDir: node.runDir})
  const id = `restarted-${way}`
  await client.create({
    id,
    rootfs: node.rootfs,
    args: ['sh', '-c', 'test -f /once && exec sleep 600; touch /once; exit 1'],
    overlay: true,
    restart: {policy: 'always', delayMs: 20_000, maxDelayMs: 20_000},
  })
  await client.container(id).start()
  await eventually('it waits', async () => (await inspect(id)).state === 'waiting')
  const waitsSince = performance.now()
  setClock(offset)
  await killSupervisor(id)
  await eventually('it is back', async () => (await inspect(id)).state === 'running')
  const tookMs = performance.now() - waitsSince
  expect(tookMs).toBeGreaterThan(7_000)
  expect(tookMs).toBeLessThan(50_000)
})

it('failures of a check do not count within its start period, though the clock is set forward, and do after it, though it is set back', async () => {
  setClock(0)
  const check = ['--health-cmd', 'exit 1', '--health-interval', '0.2s', '--health-start-interval', '0.2s', '--health-retries', '1']
  await run('early', ...check, '--health-start-period', '15s', 'sleep', '600')
  setClock(2)
  await sleep(4_000)
  expect((await inspect('early')).health).toEqual({status: 'starting'})
  await killSupervisor('early')
  await sleep(4_000)
  expect((await inspect('early')).health).toEqual({status: 'starting'})
  setClock(-2)
  await eventually('it is unhealthy', async () => (await inspect('early')).health?.status === 'unhealthy')
})

it('whoever has not run for long has not recovered, whatever the clock says', async () => {
  setClock(0)
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
    setClock(hours)
    return (await node.events('falls')).some(({type}) => type === 'container.restart-gave-up')
  })
  expect((await node.events('falls')).filter(({type}) => type === 'container.started')).toHaveLength(2)
})

it('output is not held for longer than was asked for, though the clock is set back', async () => {
  setClock(0)
  const watched = node.spawn('run', '--rm', '--name', 'held', '--rootfs', node.rootfs, 'sh', '-c', 'echo ready; sleep 5')
  await eventually('it runs', async () => (await node.tally('ps')).stdout.includes('held'))
  await eventually('it has been started', async () => (await inspect('held')).state === 'running')
  setClock(-2)
  watched.kill('SIGKILL')
  await eventually('it is removed', async () => (await node.tally('inspect', 'held')).exitCode !== 0, 90_000)
})
