import {readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {connectTally, type CreateRequestInput, type TallyClient} from '../../src/client/index.ts'
import {unmountBelow} from '../../src/runtime/rootfs.ts'
import {killNode} from '../support/kill-node.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, type TallyNode, useNode} from '../support/tally-node.ts'

const quick = {delayMs: 20, maxDelayMs: 100}
const life = ['container.created', 'container.start-requested', 'container.started', 'container.exited']
const again = ['container.restart-scheduled', 'container.restart-due', ...life]

async function run(client: TallyClient, request: Partial<CreateRequestInput> & {readonly id: string; readonly rootfs: string}) {
  await client.create({args: ['sleep', '600'], ...request} as CreateRequestInput)
  await client.container(request.id).start()
  return client.container(request.id)
}

describe('a container with a restart policy', () => {
  const node = useNode()
  let client: TallyClient
  beforeAll(async () => {
    client = await connectTally({runDir: node.runDir})
  })
  afterAll(() => client[Symbol.asyncDispose]())

  const types = async (id: string) => (await node.events(id)).map(({type}) => type)
  const become = (id: string, isIt: (view: ContainerView) => boolean) =>
    eventually(`${id} as expected`, async () => isIt(await client.container(id).state()))

  it('comes back so often as it may, with its changes and its log, and is given up then', async () => {
    const args = ['sh', '-c', 'echo life >> /lives; echo "life $(wc -l < /lives)"; exit 7']
    await run(client, {id: 'failing', rootfs: node.rootfs, overlay: true, args, restart: {policy: 'on-failure', maxRetries: 2, ...quick}})
    await become('failing', ({state, inFlight, restarts}) => state === 'stopped' && !inFlight && restarts === 2)
    expect(await types('failing')).toEqual(['container.create-requested', ...life, ...again, ...again, 'container.restart-gave-up'])
    const exits = (await node.events('failing')).flatMap((event) => (event.type === 'container.exited' ? [event.data.exit] : []))
    expect(exits).toEqual([7, 7, 7].map((code) => ({type: 'code', code})))
    expect((await node.tally('logs', '-f', 'failing')).stdout).toBe('life 1\nlife 2\nlife 3\n')
    expect(await node.tally('rm', 'failing')).toMatchObject({exitCode: 0})
  })

  it('stays stopped when it has done its work, where failures alone bring it back', async () => {
    const done = await run(client, {id: 'done', rootfs: node.rootfs, args: ['true'], restart: {policy: 'on-failure', ...quick}})
    await done.wait()
    await become('done', ({state}) => state === 'stopped')
    expect(await types('done')).not.toContain('container.restart-scheduled')
  })

  it('comes back from its supervisor alone, without coordinator', async () => {
    const kept = await run(client, {id: 'kept', rootfs: node.rootfs, restart: {policy: 'always', ...quick}})
    const {pid = 0} = await kept.state()
    killNode(await node.info())
    sendSignal(pid, 'SIGKILL')
    await become('kept', (view) => view.state === 'running' && view.pid !== pid)
    expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
    expect(await kept.stop({graceMs: 0})).toMatchObject({state: 'stopped', restarts: 1})
    await expect(kept.start()).rejects.toThrow(/stopped/)
    expect((await kept.state()).state).toBe('stopped')
  })

  it('that waits is cancelled by stop, kill and rm', async () => {
    const slow = {policy: 'always', delayMs: 60_000} as const
    for (const id of ['stopped', 'killed', 'removed']) {
      await run(client, {id, rootfs: node.rootfs, args: ['false'], restart: slow})
      await become(id, ({state}) => state === 'waiting')
    }
    expect((await node.tally('ps')).stdout).toMatch(/stopped .*Restarting \(1\) in \d+ seconds/)
    expect((await node.tally('kill', '-s', 'HUP', 'killed')).stderr).toContain('[PROCESS_ENDED]')
    expect(await node.tally('stop', 'stopped')).toMatchObject({exitCode: 0})
    expect(await node.tally('kill', 'killed')).toMatchObject({exitCode: 0})
    for (const id of ['stopped', 'killed']) {
      expect(await client.container(id).state()).toMatchObject({state: 'stopped', exit: {type: 'code', code: 1}})
      expect((await types(id)).at(-1)).toBe('container.restart-cancelled')
      expect((await node.tally('logs', '-f', id)).exitCode).toBe(0)
    }
    expect(await node.tally('rm', 'removed')).toMatchObject({exitCode: 0})
  })

  it('keeps to the moment that was chosen when its supervisor is killed while it waits', async () => {
    const late = await run(client, {id: 'late', rootfs: node.rootfs, args: ['false'], restart: {policy: 'always', delayMs: 6_000}})
    await become('late', ({state}) => state === 'waiting')
    const {restartDueAt = '', supervisorPid} = await late.state()
    sendSignal(supervisorPid, 'SIGKILL')
    await eventually('another supervisor', async () => (await types('late')).includes('supervisor.adopted'))
    expect((await late.state()).restartDueAt).toBe(restartDueAt)
    await eventually('another life', async () => (await types('late')).includes('container.restart-due'))
    const due = (await node.events('late')).find(({type}) => type === 'container.restart-due')
    const delayMs = Date.parse(due?.time ?? '') - Date.parse(restartDueAt)
    // The timer does not follow the wall clock, which may be adjusted meanwhile.
    expect(delayMs).toBeGreaterThan(-200)
  })

  it('counts a start that fails as a life that did not last', async () => {
    const own = join(node.dir, 'own')
    const {makeBusyboxRootfs} = await import('../support/busybox.ts')
    const rootfs = makeBusyboxRootfs(own)
    const restart = {policy: 'on-failure', maxRetries: 2, ...quick} as const
    await run(client, {id: 'gone', rootfs, args: ['sh', '-c', 'sleep 1; exit 1'], restart})
    rmSync(join(rootfs, 'bin/sh'))
    await eventually('given up', async () => (await types('gone')).includes('container.restart-gave-up'))
    expect(await client.container('gone').state()).toMatchObject({state: 'stopped', exit: {type: 'code', code: 1}})
    expect((await types('gone')).filter((type) => type === 'container.create-failed')).toHaveLength(2)
  })
})

it('after a boot of the host every exit is lost and said to be, no pid is trusted, and policies apply', async () => {
  await using node = await startNode()
  const client = await connectTally({runDir: node.runDir})
  const policies = {plain: undefined, wanted: 'unless-stopped', unwanted: 'unless-stopped', always: 'always'} as const
  for (const [id, policy] of Object.entries(policies))
    await run(client, {id, rootfs: node.rootfs, overlay: true, ...(policy && {restart: {policy, ...quick}})})
  for (const id of ['unwanted', 'always']) await client.container(id).stop({graceMs: 0})
  const processes = (await client.list({all: true})).flatMap(({pid}) => pid ?? [])
  const supervisors = await Promise.all(Object.keys(policies).map(async (id) => (await client.container(id).state()).supervisorPid ?? 0))
  await client[Symbol.asyncDispose]()
  expect(await node.tally('down')).toMatchObject({exitCode: 0})
  for (const pid of [...supervisors, ...processes]) sendSignal(pid, 'SIGKILL')
  await eventually('all have ended', () => [...supervisors, ...processes].every((pid) => !isThere(pid)))
  boot(node, Object.keys(policies))

  expect(await node.tally('up', '-d')).toMatchObject({exitCode: 0})
  const states = async () => Object.fromEntries((await node.json<readonly ContainerView[]>('ps', '-a')).map(({id, state}) => [id, state]))
  await eventually(
    'all are as they should be',
    async () => JSON.stringify(Object.entries(await states()).sort()) === JSON.stringify(afterBoot),
  )
  for (const id of ['plain', 'wanted']) {
    const exit = (await node.events(id)).find(({type}) => type === 'container.exited')
    expect(exit?.data).toMatchObject({exit: {type: 'lost', reason: 'the host was rebooted'}, source: 'none'})
  }
})

const afterBoot = [
  ['always', 'running'],
  ['plain', 'stopped'],
  ['unwanted', 'stopped'],
  ['wanted', 'running'],
]

/** What a boot does: nothing is mounted, the run directory is empty, and the kernel has another boot id. */
function boot(node: TallyNode, ids: readonly string[]): void {
  unmountBelow(node.stateDir)
  rmSync(node.runDir, {recursive: true, force: true})
  for (const id of ids) {
    const journal = join(node.stateDir, 'containers/default', id, 'journal.jsonl')
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    writeFileSync(journal, readFileSync(journal, 'utf8').replaceAll(bootId, '00000000-0000-4000-8000-000000000000'))
  }
}

function isThere(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === false
  } catch {
    return false
  }
}
