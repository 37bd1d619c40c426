/** One command in a container whose exit status is a yes or a no. It is no process of the ledger, and nothing of it is kept. */
import {mkdir, rm} from 'node:fs/promises'
import {join} from 'node:path'
import type {ProcessIdentity} from '../../machines/events.ts'
import type {ExecSpec} from '../../machines/exec-spec.ts'
import type {HealthCheck} from '../../machines/health.ts'
import {isSuccess, type ProcessExit} from '../../machines/process-exit.ts'
import type {Clock} from '../kernel/clock.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import type {ChildReaper} from '../linux/child-reaper.ts'
import {isAlive, readProcessIdentity} from '../linux/process-table.ts'
import type {OciRuntime} from '../runtime/oci-runtime.ts'
import type {OutputChunk} from '../stdio/container-stdio.ts'
import type {ProcessStdio} from '../stdio/process-stdio.ts'
import type {OnProcessExit, WatchProcess} from './process-watcher.ts'

export interface Answer {
  readonly isWell: boolean
  /** What it has written, the first 4,096 bytes; or why there is none. */
  readonly output: string
}

/** Never rejects: what cannot be asked is not well. */
export type RunProbe = (check: HealthCheck) => Promise<Answer>

export interface ProbeDependencies {
  readonly runtime: Pick<OciRuntime, 'exec'>
  readonly watch: WatchProcess
  readonly clock: Pick<Clock, 'sleep'>
  readonly reaper: Pick<ChildReaper, 'holdOrphans'>
  readonly openStdio: (
    place: {readonly dir: string; readonly logFile: string},
    onOutput: (chunk: OutputChunk) => void,
  ) => Promise<ProcessStdio>
  /** Writes what the runtime reads of the process. */
  readonly prepareProcess: (spec: ExecSpec, processFile: string) => Promise<void>
}

const mostOutputBytes = 4_096

export function createProbe(
  {runtime, watch, clock, reaper, openStdio, prepareProcess}: ProbeDependencies,
  {containerId, dir}: {readonly containerId: string; readonly dir: string},
): RunProbe {
  const [processFile, pidFile] = [join(dir, 'process.json'), join(dir, 'pid')]

  return async ({args, cwd, user, timeoutMs}) => {
    const written: Buffer[] = []
    try {
      await mkdir(dir, {recursive: true, mode: 0o700})
      await using stdio = await openStdio({dir: join(dir, 'io'), logFile: join(dir, 'log')}, ({bytes}) => keep(written, bytes))
      await prepareProcess({args, env: [], autoRemove: true, ...(cwd && {cwd}), ...(user !== undefined && {user})}, processFile)
      const exit = await run(stdio, timeoutMs)
      await stdio.drain()
      if (exit === 'late') return {isWell: false, output: `it took longer than ${timeoutMs} ms`}
      return {isWell: isSuccess(exit), output: Buffer.concat(written).toString('utf8')}
    } catch (error) {
      return {isWell: false, output: toErrorBody(error).message}
    } finally {
      await rm(dir, {recursive: true, force: true}).catch(() => {
        // The deletion of the container tries again.
      })
    }
  }

  async function run(stdio: ProcessStdio, timeoutMs: number): Promise<ProcessExit | 'late'> {
    const ended = Promise.withResolvers<ProcessExit>()
    const identity = await start(stdio, async (exit) => ended.resolve(exit))
    await stdio.handOver()
    const exit = await Promise.race([ended.promise, clock.sleep(timeoutMs).then(() => 'late' as const)])
    if (exit !== 'late') return exit
    if (isAlive(identity)) process.kill(identity.pid, 'SIGKILL')
    await ended.promise
    return exit
  }

  async function start(stdio: ProcessStdio, onExit: OnProcessExit): Promise<ProcessIdentity> {
    // Between the runtime's end and our watching, it is a child that nobody knows.
    using _hold = reaper.holdOrphans()
    const {pid} = await runtime.exec({id: containerId, processFile, pidFile, stdio: stdio.forRuntime})
    const identity = readProcessIdentity(pid)
    if (!identity) throw new TallyError('RUNC_EXEC_FAILED', `the runtime reported process ${pid}, which does not exist`)
    watch(identity, onExit)
    return identity
  }
}

function keep(written: Buffer[], bytes: Uint8Array): void {
  const room = mostOutputBytes - written.reduce((sum, {length}) => sum + length, 0)
  if (room > 0) written.push(Buffer.from(bytes.subarray(0, room)))
}
