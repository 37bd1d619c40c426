/** Every edge of both charts, walked by real containers; prints which were, and how many of all. */
import {execFileSync} from 'node:child_process'
import {chmodSync, existsSync, mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterAll, beforeAll, expect, it} from 'vitest'
import {containerMachine} from '../../machines/charts/container.machine.ts'
import {processMachine} from '../../machines/charts/process.machine.ts'
import {readProcessStat} from '../../src/linux/process-table.ts'
import {connectTally, type ContainerClient, type CreateRequestInput, type TallyClient} from '../../src/client/index.ts'
import {foldEvents} from '../../machines/ledger/ledger.ts'
import {toContainerView} from '../../machines/views/container-view.ts'
import {listEdges, type Step, toStates, walk} from '../support/chart-edges.ts'
import {isCriuThere} from '../support/criu.ts'
import {findSupervisor} from '../support/find-supervisor.ts'
import {eventually, startNode, type TallyNode} from '../support/tally-node.ts'

let node: TallyNode
let client: TallyClient
let orders: string

/** runc, which fails, waits or is late on a verb of a container when a file says so, once. */
const runtime = (dir: string) => `#!/bin/sh
verb=$7
for id in "$@"; do :; done
order=${dir}/$verb-$id
how=$(cat "$order" 2>/dev/null)
rm -f "$order"
case $how in
  fail) echo "told to fail" >&2; exit 1;;
  held) until [ -e "$order.go" ]; do sleep 0.05; done;;
  late) runc "$@"; status=$?; sleep 2; exit $status;;
esac
exec runc "$@"
`

beforeAll(async () => {
  node = await startNode({up: false})
  orders = join(node.dir, 'orders')
  mkdirSync(orders)
  const program = join(node.dir, 'runtime')
  writeFileSync(program, runtime(orders))
  chmodSync(program, 0o755)
  expect(await node.tally('up', '-d', '--runtime', program)).toMatchObject({exitCode: 0})
  client = await connectTally({runDir: node.runDir})
})
afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await node[Symbol.asyncDispose]()
})

const order = (verb: string, id: string, how: 'fail' | 'held' | 'late') => writeFileSync(join(orders, `${verb}-${id}`), how)
const refused = (promise: Promise<unknown>) => expect(promise).rejects.toThrow()

async function make(id: string, more: Partial<CreateRequestInput> = {}): Promise<ContainerClient> {
  const request = {id, rootfs: node.rootfs, args: ['sleep', '600'], ...more}
  await client.create(request as CreateRequestInput)
  return client.container(id)
}

async function run(id: string, more: Partial<CreateRequestInput> = {}): Promise<ContainerClient> {
  const container = await make(id, more)
  await container.start()
  return container
}

const deaf = {args: ['sh', '-c', 'trap "" TERM; sleep 600 & wait; wait']}
const hungry = ['tail', '/dev/zero']
const types = async (id: string) => (await node.events(id)).map(({type}) => type)
const happened = (id: string, type: string) =>
  eventually(`${type} of ${id}`, async () => (await types(id)).some((one) => one === type), 45_000)

/** What is done to bring the edges about, each on containers of its own; all at once. */
const scenarios: readonly (() => Promise<void>)[] = [
  async () => {
    const one = await make('input', {terminal: true, stdin: true})
    await one.resize({columns: 90, rows: 30})
    await one.start()
    await one.resize({columns: 91, rows: 31})
    await one.closeStdin()
    await one.kill('SIGKILL')
    await one.wait()
    await one.delete()
    const two = await make('input2', {stdin: true})
    await two.closeStdin()
    await two.delete()
  },
  async () => {
    await refused(client.create({id: 'nocommand', rootfs: node.rootfs, args: ['no-such-command']}))
    const one = await make('unstarted')
    order('start', 'unstarted', 'fail')
    await refused(one.start())
    await one.kill('SIGKILL')
    await one.wait()
    order('delete', 'unstarted', 'fail')
    await refused(one.delete())
    await one.delete()
    const two = await make('unstarted2', {autoRemove: true})
    await two.kill('SIGKILL')
    await happened('unstarted2', 'container.deleted')
    const three = await run('removed', {autoRemove: true, args: ['true']})
    await three.wait().catch(() => {})
    await happened('removed', 'container.deleted')
  },
  async () => {
    const one = await run('frozen')
    order('pause', 'frozen', 'fail')
    await refused(one.pause())
    await one.pause()
    order('resume', 'frozen', 'fail')
    await refused(one.resume())
    await one.resume()
    await one.pause()
    await one.stop({graceMs: 0})
    await one.delete()
    const two = await run('frozen2')
    await two.pause()
    await two.kill('SIGKILL')
    await two.wait()
    await two.delete()
    // The deadline of a stop passes while it is frozen, and while it is being frozen.
    const three = await run('frozen3', deaf)
    const stopped = three.stop({graceMs: 2_000})
    await sleep(500)
    await three.pause()
    await stopped
    await three.delete()
    const four = await run('frozen4', deaf)
    const stopping = four.stop({graceMs: 1_000})
    order('pause', 'frozen4', 'late')
    await four.pause().catch(() => {})
    await stopping
    await four.delete()
  },
  async () => {
    const one = await run('stubborn', deaf)
    const first = one.stop({graceMs: 60_000})
    await sleep(200)
    await one.stop({graceMs: 500})
    await first
    await one.delete()
    for (const healthCheck of [undefined, {args: ['true'], intervalMs: 50}]) {
      const id = healthCheck ? 'undeletable2' : 'undeletable'
      const two = await run(id, {...(healthCheck && {healthCheck})})
      if (healthCheck) await happened(id, 'container.health-changed')
      await two.pause()
      order('resume', id, 'fail')
      await refused(two.delete({force: true}))
      await two.delete({force: true})
    }
  },
  async () => {
    const one = await make('limits')
    await one.update({pidsLimit: 100})
    order('update', 'limits', 'fail')
    await refused(one.update({pidsLimit: 200}))
    await one.start()
    await one.update({pidsLimit: 300})
    order('update', 'limits', 'fail')
    await refused(one.update({pidsLimit: 400}))
    await one.delete({force: true})
  },
  async () => {
    const one = await make('hungry', {memoryBytes: 32 * 1024 * 1024})
    await one.addProcess({exec: 'early', args: hungry})
    await happened('hungry', 'container.oom')
    await one.start()
    await one.addProcess({exec: 'later', args: hungry})
    await eventually('told again', async () => (await types('hungry')).filter((type) => type === 'container.oom').length === 2)
    await one.delete({force: true})
    // It is told while it is being deleted, unless the kernel is quicker.
    const isToldLate = async (id: string) => {
      const told = await types(id)
      return told.lastIndexOf('container.oom') > told.indexOf('container.delete-requested')
    }
    for (let index = 0; index < 20; index += 1) {
      const id = `hungry${index}`
      const two = await run(id, {memoryBytes: 32 * 1024 * 1024})
      await two.addProcess({exec: 'last', args: hungry})
      await two.process('last').wait()
      await two.delete({force: true})
      await happened(id, 'container.deleted')
      if (await isToldLate(id)) break
    }
  },
  async () => {
    // A frozen init takes no SIGKILL where cgroups are of version 1.
    const one = await make('ice')
    const created = (await node.events('ice')).find(({type}) => type === 'container.created')
    const freezer =
      created?.type === 'container.created' ? created.data.cgroups.find((path) => existsSync(join(path, 'freezer.state'))) : undefined
    if (freezer) {
      writeFileSync(join(freezer, 'freezer.state'), 'FROZEN')
      const deletion = one.delete()
      await refused(deletion)
      writeFileSync(join(freezer, 'freezer.state'), 'THAWED')
    }
    await one.delete({force: true})
  },
  async () => {
    const io = join(node.runDir, 'containers/default/busy/io')
    mkdirSync(io, {recursive: true})
    execFileSync('mount', ['-t', 'tmpfs', 'tally-test', io])
    await refused(client.create({id: 'busy', rootfs: node.rootfs, args: ['no-such-command']}))
    await happened('busy', 'container.delete-failed')
    execFileSync('umount', [io])
    // Unless its supervisor, which tries again by itself, is faster.
    const gone = {code: expect.stringMatching(/^(CONTAINER_NOT_FOUND|ILLEGAL_COMMAND)$/)}
    await client
      .container('busy')
      .delete()
      .catch((error: unknown) => expect(error).toMatchObject(gone))
    await happened('busy', 'container.deleted')
  },
  async () => {
    const one = await run('adopted')
    await one.addProcess({exec: 'there', args: ['sleep', '600']})
    const {supervisorPid} = await one.state()
    if (supervisorPid) process.kill(supervisorPid, 'SIGKILL')
    await happened('adopted', 'supervisor.adopted')
    await one.delete({force: true})
  },
  async () => {
    const quick = {delayMs: 20, maxDelayMs: 40}
    const one = await run('again', {
      args: ['sh', '-c', 'sleep 1; exit 1'],
      restart: {policy: 'on-failure', maxRetries: 2, ...quick},
    })
    await happened('again', 'container.restart-gave-up')
    await one.delete()
    const patient = await run('patient', {healthCheck: {args: ['test', '-f', '/well'], intervalMs: 50, retries: 1}})
    await happened('patient', 'container.health-changed')
    await patient.addProcess({exec: 'well', args: ['touch', '/well']})
    await eventually('well', async () => (await patient.state()).health?.status === 'healthy')
    await patient.addProcess({exec: 'unwell', args: ['rm', '/well']})
    await eventually('unwell', async () => (await patient.state()).health?.status === 'unhealthy')
    await patient.delete({force: true})
    // What cannot be started, or made, again: as the last attempt, and with another to come.
    for (const [verb, args] of [
      ['start', ['false']],
      ['create', ['sh', '-c', 'sleep 1; exit 1']],
    ] as const)
      for (const maxRetries of [1, 2]) {
        const id = `un-${verb}-${maxRetries}`
        const made = await make(id, {args: [...args], restart: {policy: 'on-failure', maxRetries, delayMs: 200, maxDelayMs: 200}})
        await made.start()
        order(verb, id, 'fail')
        await happened(id, 'container.restart-gave-up')
        await made.delete()
      }
    const slow = {policy: 'always', delayMs: 60_000} as const
    const four = await run('waiting', {args: ['true'], restart: slow})
    await happened('waiting', 'container.restart-scheduled')
    await four.stop()
    await four.delete()
    const five = await run('waiting2', {args: ['true'], restart: slow})
    await happened('waiting2', 'container.restart-scheduled')
    await five.delete()
  },
  async () => {
    const one = await run('forgotten')
    const manager = await client.connection.jetstreamManager()
    await manager.streams.purge('TALLY_EVENTS', {filter: 'tally.evt.n1.default.forgotten.>'})
    await client.connection.request(client.subjects.containerCommand(one.address, 'republish'), '{}', {timeout: 60_000})
    await happened('forgotten', 'supervisor.republished')
    await one.delete({force: true})
  },
  async () => {
    await run('cursed')
    const find = async () => (await client.list()).find(({id}) => id === 'cursed')
    const isGivenUp = () => {
      const pid = findSupervisor(node, 'cursed')
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
      return node.journal('cursed').some((line) => line.includes('supervisor.gave-up'))
    }
    await eventually('given up', isGivenUp, 120_000)
    await eventually('told', async () => (await find())?.unsupervised === true)
  },
  async () => {
    const box = await run('box')
    await box.addProcess({exec: 'shell', args: ['sh'], terminal: true, stdin: true, start: false})
    const shell = box.process('shell')
    await shell.resize({columns: 90, rows: 30})
    await shell.start()
    await shell.resize({columns: 91, rows: 31})
    await shell.closeStdin()
    await shell.wait()
    await shell.delete()
    await box.addProcess({exec: 'unread', args: ['true'], stdin: true, start: false})
    await box.process('unread').closeStdin()
    await box.process('unread').delete()
    await refused(box.addProcess({exec: 'wrong', args: ['no-such-command']}))
    await refused(box.addProcess({exec: 'wrong2', args: ['no-such-command'], autoRemove: true}))
    await box.addProcess({exec: 'passing', args: ['true'], autoRemove: true})
    await box.addProcess({exec: 'killed', args: ['sleep', '600']})
    await box.process('killed').kill('SIGTERM')
    await box.process('killed').wait()
    await box.delete({force: true})
  },
  async () => {
    const one = await run('kept')
    const image = join(node.dir, 'image')
    order('checkpoint', 'kept', 'fail')
    await refused(one.checkpoint({image}))
    if (isCriuThere) {
      await one.checkpoint({image})
      const {id} = await client.restore({image})
      const two = client.container(id)
      order('restore', id, 'fail')
      await refused(two.start())
      // Something of it cannot be removed, though there is no process.
      const busy = join(node.runDir, 'containers/default', id, 'busy')
      mkdirSync(busy, {recursive: true})
      execFileSync('mount', ['-t', 'tmpfs', 'tally-test', busy])
      await refused(two.delete())
      execFileSync('umount', [busy])
      await two.start()
      await two.delete({force: true})
      const checked = await run('kept2', {healthCheck: {args: ['true']}})
      await checked.checkpoint({image: join(node.dir, 'image2')})
      const restored = client.container((await client.restore({image: join(node.dir, 'image2')})).id)
      await restored.start()
      await restored.delete({force: true})
      await checked.delete({force: true})
    }
    await one.delete({force: true})
  },
  async () => {
    // Its end waits for that of the start of an added process, and a signal finds it gone.
    const one = await run('late')
    const {pid = 0} = await one.state()
    order('exec', 'late', 'held')
    const added = one.addProcess({exec: 'slow', args: ['true']}).catch(() => {})
    await eventually('asked for', () => node.journal('late').some((line) => line.includes('exec.start-requested')))
    process.kill(pid, 'SIGKILL')
    await eventually('it has ended', () => readProcessStat(pid)?.isZombie !== false)
    await refused(one.kill('SIGTERM'))
    writeFileSync(join(orders, 'exec-late.go'), '')
    await added
    await one.wait()
    await one.delete()
  },
  async () => {
    // A signal and an end reach the supervisor at once; which it looks at first is up to the kernel.
    const box = await run('race')
    const {supervisorPid = 0} = await box.state()
    for (let index = 0; index < 40 && !(await types('race')).includes('exec.kill-failed'); index += 1) {
      const {pid = 0} = await box.addProcess({exec: `race${index}`, args: ['sleep', '600']})
      process.kill(supervisorPid, 'SIGSTOP')
      const killed = box
        .process(`race${index}`)
        .kill('SIGTERM')
        .catch(() => {})
      await client.connection.flush()
      await sleep(20)
      process.kill(pid, 'SIGKILL')
      await sleep(20)
      process.kill(supervisorPid, 'SIGCONT')
      await killed
    }
    await box.delete({force: true})
  },
]

const needsCriu = /container\.checkpointed|prepared|container starting: container\.started #[12] /
/** Taken where init outlives SIGKILL for 30 s without being frozen, as in a system call that hangs, and by journals of former versions. */
const needsHungInit = /container deleting: container\.delete-failed #[45] /

/** An edge from any state leads to none in particular. */
function isShown({edge, state}: Step): boolean {
  return toStates(edge).every(({path}) => path.length === 0 || path[0] === state)
}

it('are all walked by a real container, and lead where the chart says', async () => {
  await Promise.all(scenarios.map((scenario) => scenario()))
  const histories = Map.groupBy(await node.events(), ({uid}) => uid)
  const steps = [...histories.values()].flatMap(walk)
  const walked = new Set(steps.map(({edge}) => edge))
  const edges = new Map([...listEdges(containerMachine), ...listEdges(processMachine)])
  const lines = [...edges].map(([edge, name]) => `${walked.has(edge) ? 'walked' : '      '}  ${name}`)
  const isNeeded = (name: string) => !needsHungInit.test(name) && (isCriuThere || !needsCriu.test(name))
  const missing = [...edges].filter(([edge, name]) => !walked.has(edge) && isNeeded(name)).map(([, name]) => name)
  const count = [...edges.keys()].filter((edge) => walked.has(edge)).length
  const without = isCriuThere ? '' : '; those of checkpoints need criu, which is missing or does not work here'
  process.stdout.write(`\n${lines.join('\n')}\n${count} of ${edges.size} edges${without}\n`)
  expect(missing).toEqual([])
  const astray = steps.filter((step) => !step.hasArrived || !isShown(step))
  expect(astray.map(({edge, state}) => `${edges.get(edge)}: ${state}`)).toEqual([])
  // What the node answers is what the events say.
  for (const {uid, state} of await client.list()) expect(state).toBe(toContainerView(foldEvents(histories.get(uid) ?? []))?.state)
}, 240_000)
