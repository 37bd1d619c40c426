/**
 * What containers cost while nobody looks, and how long one that sleeps takes to answer. Prints a table, and leaves nothing behind.
 * Usage: npm run bench:sleep [-- <sleeping containers>]
 */
import {execFile} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {promisify} from 'node:util'
import {connectTally, type TallyClient} from '../src/client/index.ts'
import {connectShimControl, type ShimStatus} from '../src/shim/client/control.ts'
import {makeBusyboxRootfs} from '../test/support/busybox.ts'

const sleepers = Number(process.argv[2] ?? 500)
const samples = 20
const rounds = 30
const sleepAfterMs = 500
const tally = join(import.meta.dirname, '../bin/tally')
const dir = mkdtempSync(join(tmpdir(), 'tally-sleep-'))
process.once('exit', () => rmSync(dir, {recursive: true, force: true}))
const runDir = join(dir, 'run')
const env = {...process.env, TALLY_STATE_DIR: join(dir, 'state'), TALLY_RUN_DIR: runDir, TALLY_NODE: 'bench'}
const rootfs = makeBusyboxRootfs(dir)
const run = promisify(execFile)

await run(tally, ['up', '-d', '--http', 'off', '--sleep-after', `${sleepAfterMs}ms`], {env})
try {
  {
    await using client = await connectTally({runDir})
    await measureMemory(client)
    await measureReplies(client)
    await measureMany(client)
  }
  await measureRestart()
} finally {
  await run(tally, ['down', '--containers'], {env})
}

async function measureMemory(client: TallyClient): Promise<void> {
  const kinds: readonly (readonly [what: string, args: string[], more: Partial<Request>])[] = [
    ['that runs', ['sleep', '1000'], {}],
    ['that prints a line a second', ['sh', '-c', 'while :; do echo tick; sleep 1; done'], {}],
    ['with a health check every 30 s', ['sleep', '1000'], {healthCheck: {args: ['true'], intervalMs: 30_000}}],
  ]
  for (const [index, [what, args, more]] of kinds.entries()) {
    const awake: number[] = []
    const ids = await startAll(client, `m${index}-`, samples, {args, ...more}, async (id) => {
      awake.push(readPssKb(await findOwn(client, id)))
    })
    await eventually(ids, ({phase}) => phase === 'asleep')
    const asleep = await Promise.all(ids.map(async (id) => readPssKb(await findShim(client, id))))
    console.log(`PSS of ours for a container ${what}: awake ${toMb(median(awake))}, asleep ${toMb(median(asleep))} (each of ${samples})`)
    for (const id of ids) await client.container(id).delete({force: true})
  }
  const ids = await startAll(client, 'stopped', samples, {args: ['true']})
  while ((await Promise.all(ids.map(readStatus))).some(Boolean)) await sleep(50)
  console.log(`processes of ours for a container that has stopped: 0 (each of ${samples})`)
  for (const id of ids) await client.container(id).delete({force: true})
}

async function measureReplies(client: TallyClient): Promise<void> {
  const [id = ''] = await startAll(client, 'reply', 1, {args: ['sleep', '1000']})
  const awake: number[] = []
  const asleep: number[] = []
  const kill = async () => {
    const begun = performance.now()
    await client.container(id).kill('SIGWINCH')
    return performance.now() - begun
  }
  for (let round = 0; round < rounds; round += 1) {
    await eventually([id], ({phase}) => phase === 'asleep')
    asleep.push(await kill())
    awake.push(await kill())
  }
  console.log(
    `from a command to its reply: awake ${median(awake).toFixed(1)} ms, asleep ${median(asleep).toFixed(0)} ms (best ${Math.min(...asleep).toFixed(0)})`,
  )
  await client.container(id).delete({force: true})
}

async function measureMany(client: TallyClient): Promise<void> {
  const begun = performance.now()
  const ids = await startAll(client, 's', sleepers, {args: ['sleep', '10000']})
  await eventually(ids, ({phase}) => phase === 'asleep')
  console.log(`${sleepers} containers created, started and asleep after ${((performance.now() - begun) / 1000).toFixed(0)} s`)
  const {coordinatorPid, natsPid, parent} = await client.info()
  const shims = await Promise.all(ids.map((id) => findShim(client, id)))
  const ready = listChildren(coordinatorPid).flatMap((pid) => (shims.includes(pid) ? [] : [pid, ...listChildren(pid)]))
  const parts = {
    shims,
    coordinator: [coordinatorPid, ...(parent ? [parent.pid] : [])],
    'nats-server': natsPid === null ? [] : [natsPid],
    'ready supervisor': ready.filter((pid) => pid !== natsPid),
  }
  const inAll = Object.values(parts).flat()
  const figures = Object.entries(parts).map(([name, pids]) => `${name} ${toMb(sum(pids.map(readPssKb)))}`)
  console.log(`PSS of all of ours with ${sleepers} sleepers: ${toMb(sum(inAll.map(readPssKb)))} (${figures.join(', ')})`)
}

async function measureRestart(): Promise<void> {
  const ids = readdirSync(join(runDir, 'containers/default')).filter((id) => id.startsWith('s'))
  const before = await Promise.all(ids.map(readStatus))
  const {stdout} = await run(tally, ['info', '--json'], {env})
  process.kill(JSON.parse(stdout).coordinatorPid, 'SIGKILL')
  const begun = performance.now()
  await run(tally, ['ps'], {env})
  const answeredMs = performance.now() - begun
  await sleep(3_000)
  const after = await Promise.all(ids.map(readStatus))
  const woken = after.filter((status, index) => status?.starts !== before[index]?.starts).length
  console.log(
    `coordinator killed: \`tally ps\` has answered after ${answeredMs.toFixed(0)} ms, ${woken} of ${ids.length} supervisors were woken`,
  )
}

async function startAll(
  client: TallyClient,
  prefix: string,
  count: number,
  request: Request,
  onStarted: (id: string) => Promise<void> = async () => {},
): Promise<readonly string[]> {
  const ids = Array.from({length: count}, (_, index) => `${prefix}${index}`)
  for (const id of ids) {
    await client.create({id, rootfs, ...request})
    await client.container(id).start()
    await onStarted(id)
  }
  return ids
}

async function readStatus(id: string): Promise<ShimStatus | undefined> {
  try {
    using control = await connectShimControl(join(runDir, 'containers/default', id, 'shim.sock'))
    return await control.status()
  } catch {
    return undefined
  }
}

async function eventually(ids: readonly string[], condition: (status: ShimStatus) => boolean): Promise<void> {
  for (const id of ids)
    for (let status = await readStatus(id); !status || !condition(status); status = await readStatus(id)) await sleep(20)
}

/** Of a container that has a directory. */
interface Request {
  readonly args: string[]
  readonly healthCheck?: {readonly args: string[]; readonly intervalMs: number}
}

/** Shim and supervisor. */
async function findOwn(client: TallyClient, id: string): Promise<readonly number[]> {
  const shim = await findShim(client, id)
  const {pid} = (await readStatus(id)) ?? {}
  return pid === undefined ? [shim] : [shim, pid]
}

/** The parent of init. */
async function findShim(client: TallyClient, id: string): Promise<number> {
  const {pid} = await client.container(id).state()
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

function listChildren(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

function readPssKb(pids: number | readonly number[]): number {
  const all = typeof pids === 'number' ? [pids] : pids
  return sum(all.map((pid) => Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function toMb(kb: number): string {
  return `${(kb / 1024).toFixed(kb < 10 * 1024 ? 2 : 0)} MB`
}
