/**
 * How long a container is without a supervisor, and what the start of one costs: a supervisor is killed, and the next one answers a command.
 * Each container loses one supervisor, since later ones are started with a delay. Prints medians, and leaves nothing behind.
 */
import {execFile} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {promisify} from 'node:util'
import {connectTally} from '../src/client/index.ts'
import {connectNats, readConnection} from '../src/messaging/connection.ts'
import {makeBusyboxRootfs} from '../test/support/busybox.ts'

const count = Number(process.argv[2] ?? 20)
const settleMs = 6_000
const noticedMs = 20
const tally = join(import.meta.dirname, '../bin/tally')
const dir = mkdtempSync(join(tmpdir(), 'tally-start-'))
process.once('exit', () => rmSync(dir, {recursive: true, force: true}))
const runDir = join(dir, 'run')
const env = {...process.env, TALLY_STATE_DIR: join(dir, 'state'), TALLY_RUN_DIR: runDir, TALLY_NODE: 'bench'}
const rootfs = makeBusyboxRootfs(dir)
const run = promisify(execFile)

await run(tally, ['up', '-d'], {env})
try {
  await using client = await connectTally({runDir})
  const connection = await readConnection(join(runDir, 'connection.json'))
  if (!connection) throw new Error('expected a connection file')
  const nats = await connectNats({...connection, name: 'measure-start'})
  const ids = Array.from({length: count}, (_, index) => `c${index}`)
  for (const id of ids) {
    await client.create({id, rootfs, args: ['sleep', '1000']})
    await client.container(id).start()
  }
  // What they keep for the next ones is written after some seconds.
  await sleep(settleMs)
  const starts: Start[] = []
  for (const id of ids) starts.push(await replaceSupervisor(id))
  await nats.close()
  print(
    'from the death of a supervisor to a reply of the next',
    'ms',
    starts.map(({replyMs}) => replyMs),
  )
  print(
    'CPU time of the next until then',
    'ms',
    starts.map(({cpuMs}) => cpuMs),
  )
  print(
    'private memory, a moment later',
    'MB',
    starts.map(({privateMb}) => privateMb),
  )
  print(
    'proportional memory (PSS)',
    'MB',
    starts.map(({pssMb}) => pssMb),
  )

  async function replaceSupervisor(id: string): Promise<Start> {
    const former = await findSupervisor(id)
    process.kill(former, 'SIGKILL')
    const begun = performance.now()
    // What is sent before the server knows that it has gone is lost.
    await sleep(noticedMs)
    // Not a query: those can be answered from disk.
    while (!(await nats.request(`tally.cmd.bench.default.${id}.kill`, '{"signal":"SIGWINCH"}', {timeout: 1_000}).catch(() => undefined)))
      await sleep(1)
    const replyMs = performance.now() - begun
    const pid = await findSupervisor(id)
    const cpuMs = readCpuMs(pid)
    await sleep(500)
    return {replyMs, cpuMs, ...readMemory(pid)}
  }

  async function findSupervisor(id: string): Promise<number> {
    const {supervisorPid} = await client.container(id).state()
    if (supervisorPid === undefined) throw new Error(`expected ${id} to have a supervisor`)
    return supervisorPid
  }
} finally {
  await run(tally, ['down', '--containers'], {env})
}

interface Start {
  readonly replyMs: number
  readonly cpuMs: number
  readonly privateMb: number
  readonly pssMb: number
}

/** Of all threads. */
function readCpuMs(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6
}

function readMemory(pid: number): Pick<Start, 'privateMb' | 'pssMb'> {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const read = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024
  return {privateMb: read('Private_Clean') + read('Private_Dirty'), pssMb: read('Pss')}
}

function print(what: string, unit: string, values: readonly number[]): void {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) =>
    `${(sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(unit === 'MB' ? 1 : 0)} ${unit}`.padStart(9)
  console.log(`${what.padEnd(56)} median${at(0.5)}   best${at(0)}   worst${at(1)}`)
}
