/** Runs one command in a container, whose exit status says whether it is healthy. It is not in the ledger, and nothing of it remains. */
import {mkdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import type {ProcessIdentity} from '../../../machines/ledger/events.ts'
import type {ExecSpec} from '../../../machines/schemas/exec-spec.ts'
import type {HealthCheck} from '../../../machines/schemas/health.ts'
import {isSuccess, type ProcessExit} from '../../../machines/ledger/process-exit.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError, toErrorBody} from '../../kernel/errors.ts'
import {isAlive, readProcessIdentity} from '../../linux/process-table.ts'
import type {OciRuntime} from '../../runtime/oci-runtime.ts'
import {readLogPage} from '../../stdio/log-page.ts'
import type {LogProgress, NewProcessStdio} from '../../stdio/process-stdio-port.ts'
import type {Children} from '../shim/children.ts'
import {type CheckProcesses, findCheckProcesses} from './health-probe-processes.ts'
import type {OnProcessExit, WatchProcess} from './process-watcher.ts'

export interface Answer {
  readonly isWell: boolean
  /** What it has written, the first 4,096 bytes; or why there is none. */
  readonly output: string
}

export interface Probe {
  /** Never rejects: what cannot be asked is not well. None of its processes outlives it. */
  ask(check: HealthCheck, container: ProbedContainer): Promise<Answer>
  /** Ends what a supervisor that died in the middle of a check has left of it. Never rejects. */
  clear(container: ProbedContainer): Promise<void>
}

export interface ProbedContainer {
  /** Directories of its groups. */
  readonly cgroups: readonly string[]
  readonly bundle?: string | undefined
}

export interface ProbeDependencies {
  readonly runtime: Pick<OciRuntime, 'exec'>
  readonly watch: WatchProcess
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
  readonly children: Pick<Children, 'holdOrphans'>
  readonly openStdio: (
    place: {readonly dir: string; readonly logFile: string},
    onGrew: (progress: LogProgress) => void,
  ) => Promise<NewProcessStdio>
  /** Writes what the runtime reads of the process. */
  readonly prepareProcess: (spec: ExecSpec, place: {readonly bundle: string | undefined; readonly processFile: string}) => Promise<void>
}

const mostOutputBytes = 4_096
/** Bytes of log for a byte of output: at most those of an empty line. */
const mostPerByte = 64

export function createProbe(
  {runtime, watch, clock, children, openStdio, prepareProcess}: ProbeDependencies,
  {containerId, dir}: {readonly containerId: string; readonly dir: string},
): Probe {
  const [processFile, pidFile] = [join(dir, 'process.json'), join(dir, 'pid')]
  const findProcesses = ({cgroups}: ProbedContainer) => findCheckProcesses({cgroups, dir, clock})
  /** Not every runtime can start a process in a group of its own; what it has refused once is not asked of it again. */
  let isGrouped = true

  return {
    ask: async ({args, cwd, user, timeoutMs}, container) => {
      const logFile = join(dir, 'log')
      const written = createBeginning(logFile)
      const opened = new AsyncDisposableStack()
      try {
        await mkdir(dir, {recursive: true, mode: 0o700})
        const stdio = opened.adopt(
          await openStdio({dir: join(dir, 'io'), logFile}, ({position}) => void readOn(stdio, written, position)),
          async (open) => void (await open.close()),
        )
        // Of a flood, the beginning is not dropped before it is read.
        await stdio.hold(clock.elapsed() + timeoutMs, everything)
        await stdio.follow(0)
        const spec = {args, env: [], autoRemove: true, ...(cwd && {cwd}), ...(user !== undefined && {user})}
        await prepareProcess(spec, {bundle: container.bundle, processFile})
        const exit = await run(stdio, findProcesses(container), timeoutMs)
        await stdio.drain()
        written.read()
        if (exit === 'late') return {isWell: false, output: `it took longer than ${timeoutMs} ms`}
        return {isWell: isSuccess(exit), output: written.text()}
      } catch (error) {
        return {isWell: false, output: toErrorBody(error).message}
      } finally {
        await opened.disposeAsync().catch(() => {})
        await rm(dir, {recursive: true, force: true}).catch(() => {
          // The deletion of the container tries again.
        })
      }
    },
    clear: async (container) => {
      try {
        await findProcesses(container).end(false)
      } catch {
        // The container has ended, and all of it with it.
      }
    },
  }

  async function run(stdio: NewProcessStdio, processes: CheckProcesses, timeoutMs: number): Promise<ProcessExit | 'late'> {
    const ended = Promise.withResolvers<ProcessExit>()
    let first: ProcessIdentity | undefined
    try {
      first = await start(stdio, processes.group, async ({exit}) => ended.resolve(exit))
      await stdio.handOver()
      return await Promise.race([ended.promise, clock.sleep(timeoutMs).then(() => 'late' as const)])
    } finally {
      await processes.end(isGrouped, first && isAlive(first) ? first.pid : undefined)
      // Whatever it was asked, it has ended; its status is taken before the next is asked.
      if (first) await ended.promise
    }
  }

  async function start(stdio: NewProcessStdio, group: string | undefined, onExit: OnProcessExit): Promise<ProcessIdentity> {
    // Until it is watched, it is a child that is not known.
    using _hold = await children.holdOrphans()
    const {pid} = await execGrouped(stdio, group)
    const identity = readProcessIdentity(pid)
    if (!identity) throw new TallyError('RUNC_EXEC_FAILED', `the runtime reported process ${pid}, which does not exist`)
    watch(identity, onExit)
    return identity
  }

  async function execGrouped(stdio: NewProcessStdio, group: string | undefined): Promise<{readonly pid: number}> {
    const options = {id: containerId, processFile, pidFile, stdio: stdio.forRuntime}
    if (group === undefined || !isGrouped) {
      isGrouped = false
      return await runtime.exec(options)
    }
    try {
      return await runtime.exec({...options, group})
    } catch (error) {
      if (toErrorBody(error).code !== 'RUNC_EXEC_FAILED') throw error
      const started = await runtime.exec(options)
      isGrouped = false
      return started
    }
  }
}

const everything = {stdout: 0, stderr: 0}

/** Until there is enough: then the process may write on, and its log drop what is old. */
async function readOn(stdio: NewProcessStdio, written: Beginning, position: number): Promise<void> {
  written.read()
  // It may have been closed meanwhile.
  const next = written.isComplete() ? stdio.hold(0, everything) : stdio.follow(position)
  await next.catch(() => {})
}

interface Beginning {
  read(): void
  isComplete(): boolean
  text(): string
}

/** The first that was written, on either stream. */
function createBeginning(logFile: string): Beginning {
  let bytes: Buffer = Buffer.alloc(0)
  const isComplete = () => bytes.length >= mostOutputBytes
  return {
    read: () => {
      // What comes later is not the beginning any more.
      if (isComplete()) return
      const {entries} = readLogPage(logFile, 0, mostOutputBytes * mostPerByte)
      bytes = Buffer.concat(entries.map((entry) => entry.bytes)).subarray(0, mostOutputBytes)
    },
    isComplete,
    text: () => bytes.toString('utf8'),
  }
}
