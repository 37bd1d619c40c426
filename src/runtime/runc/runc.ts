/** runc behind the port. */
import {existsSync, readdirSync, rmdirSync} from 'node:fs'
import {rm} from 'node:fs/promises'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import type {RestoreSpec} from '../../../machines/schemas/checkpoint.ts'
import {toSignalNumber} from '../../../machines/schemas/signals.ts'
import {TallyError} from '../../kernel/errors.ts'
import {listProcesses} from '../../linux/process-table.ts'
import type {OciRuntime, RuntimeVersion} from '../oci-runtime.ts'
import type {RuntimeStdio} from '../../kernel/runtime-stdio.ts'
import {unmountBelow} from '../rootfs.ts'
import {type CallerOptions, createCaller} from './caller.ts'
import {isUnknownContainer} from './errors.ts'
import {findBundleOpenFiles, findOpenFiles, settleOpenFiles} from './open-files-limit.ts'
import {findFaultOf, hasFailedToExecute, isExecutedSoon, readBundleProgram, readProgram, toExecutionError} from './execution.ts'
import {parseFeatures} from './features.ts'
import {isCallOf, isRuntimes, kill} from './processes.ts'
import {parseState, readPid, withOutput} from './results.ts'
import {findUnsupported, readWishes} from './support.ts'

/** `noPivot` and `noNewKeyring` are containerd's options of the same names. */
export interface RuncOptions extends CallerOptions {
  readonly noPivot?: boolean | undefined
  readonly noNewKeyring?: boolean | undefined
}

const settlePollMs = 10

export function createRunc(options: RuncOptions): OciRuntime {
  const {binary, root, logDir, timeoutMs = 30_000, noPivot, noNewKeyring} = options
  const {run, runPlain, listen} = createCaller(options)
  const makingFlags = [...(noPivot ? ['--no-pivot'] : []), ...(noNewKeyring ? ['--no-new-keyring'] : [])]

  return {
    create: async ({id, bundle, pidFile, stdio}) => {
      await assertSupported(bundle)
      try {
        const args = ['--bundle', bundle, '--pid-file', pidFile, ...makingFlags, ...toConsole(stdio), id]
        await run({verb: 'create', args, stdio, openFiles: () => findBundleOpenFiles(bundle)?.soft})
        const pid = await readPid(binary, pidFile, 'create')
        await rm(pidFile, {force: true})
        return {pid}
      } catch (error) {
        const isAnothers = error instanceof TallyError && (error.code === 'CONTAINER_EXISTS' || error.code === 'RUNTIME_NOT_FOUND')
        if (isAnothers) throw error
        // A runc that was killed half-way has not removed what it had made.
        throw withOutput(error, await listen({verb: 'delete', args: ['--force', id]}).catch(() => ''))
      }
    },
    exec: async ({id, processFile, pidFile, stdio, initPid, group}) => {
      const flags = ['--detach', '--process', processFile, '--pid-file', pidFile, ...(group === undefined ? [] : ['--cgroup', group])]
      await run({verb: 'exec', args: [...flags, ...toConsole(stdio), id], stdio, openFiles: () => findOpenFiles(processFile)?.soft})
      const pid = await readPid(binary, pidFile, 'exec')
      settleOpenFiles(pid, processFile)
      // The file system of the container is only read after a failure.
      if (!(await isExecutedSoon(pid, timeoutMs))) throw toExecutionError(binary, 'exec', findFaultOf(initPid, readProgram(processFile)))
      return {pid}
    },
    start: async (id, init) => {
      // Read before the start: the root file system of a process that has ended cannot be reached.
      const fault = init && findFaultOf(init.pid, readBundleProgram(init.bundle))
      await run({verb: 'start', args: [id]}).catch((error: unknown) => {
        if (!init || !hasFailedToExecute(init.pid)) throw error
      })
      if (init && !(await isExecutedSoon(init.pid, timeoutMs))) throw toExecutionError(binary, 'start', fault)
    },
    kill: async (id, signal) => void (await run({verb: 'kill', args: [id, String(toSignalNumber(signal))]})),
    pause: async (id) => void (await run({verb: 'pause', args: [id]})),
    resume: async (id) => void (await run({verb: 'resume', args: [id]})),
    checkpoint: async ({id, checkpoint, workDir, criuConfig}) => {
      const flags = [...toCriuFlags(checkpoint, workDir), ...(checkpoint.leaveRunning ? ['--leave-running'] : [])]
      await run({verb: 'checkpoint', args: [...flags, id], criuConfig})
    },
    restore: async ({id, bundle, pidFile, stdio, checkpoint, workDir, criuConfig}) => {
      const flags = ['--detach', '--no-subreaper', '--bundle', bundle, '--pid-file', pidFile, ...(noPivot ? ['--no-pivot'] : [])]
      await run({verb: 'restore', args: [...flags, ...toCriuFlags(checkpoint, workDir), ...toConsole(stdio), id], stdio, criuConfig})
      const pid = await readPid(binary, pidFile, 'restore')
      await rm(pidFile, {force: true})
      return {pid}
    },
    update: async (id, limits) => void (await run({verb: 'update', args: ['--resources', '-', id], input: JSON.stringify(limits)})),
    delete: async (id, {force = false} = {}) => {
      // runc and crun keep the state of a container there.
      if (!existsSync(join(root, id))) return
      try {
        await run({verb: 'delete', args: [...(force ? ['--force'] : []), id]})
      } catch (error) {
        if (!isUnknownContainer(error)) throw error
      }
      removeCriuRoot(join(root, id))
    },
    settled: async () => {
      for (const giveUpAt = performance.now() + timeoutMs; ; await sleep(settlePollMs)) {
        const calls = listProcesses().filter((pid) => isCallOf(pid, logDir))
        if (calls.length === 0) return
        if (performance.now() > giveUpAt) for (const pid of calls) kill(pid)
      }
    },
    state: async (id) => {
      try {
        return parseState(binary, await run({verb: 'state', args: [id]}))
      } catch (error) {
        if (isUnknownContainer(error)) return undefined
        throw error
      }
    },
    // start removes the FIFO on which init waits (runc and crun).
    isExecuted: async (id, initPid) => {
      const fifo = join(root, id, 'exec.fifo')
      if (!existsSync(fifo)) return existsSync(join(root, id)) && !(initPid !== undefined && hasFailedToExecute(initPid))
      if (initPid === undefined || isRuntimes(initPid, binary)) return false
      // Left by a start that was killed. While it exists, the runtime reports the container as created.
      await rm(fifo, {force: true})
      return true
    },
    version,
  }

  async function version(): Promise<RuntimeVersion> {
    const text = await runPlain(['--version'])
    const [, name = 'runc', release = 'unknown'] = /^(\S+) version (\S+)/.exec(text) ?? []
    return {name, version: release, path: binary}
  }

  /** @throws TallyError UNSUPPORTED. A runtime that does not report its features is not checked. */
  async function assertSupported(bundle: string): Promise<void> {
    const wishes = readWishes(bundle)
    const features = wishes.length > 0 ? parseFeatures(await runPlain(['features']).catch(() => '')) : undefined
    const missing = features && findUnsupported(wishes, features)
    if (!missing) return
    const {wish, known} = missing
    const {name, version: release} = await version()
    const instead = known.length > 0 ? `: it knows ${known.join(', ')}` : ''
    throw new TallyError('UNSUPPORTED', `${name} ${release} (${binary}) has no ${wish.type} ${JSON.stringify(wish.name)}${instead}`, {
      details: {runtime: binary, verb: 'create', ...wish, known},
    })
  }
}

/** runc 1.1 leaves the root file system mounted there after a failed restore, and does not unmount it at delete. */
function removeCriuRoot(dir: string): void {
  const mounted = join(dir, 'criu-root')
  if (!existsSync(mounted)) return
  unmountBelow(mounted)
  rmdirSync(mounted)
  if (readdirSync(dir).length === 0) rmdirSync(dir)
}

function toCriuFlags({image, tcpEstablished, fileLocks, externalUnixSockets}: RestoreSpec, workDir: string): readonly string[] {
  return [
    ...['--image-path', image, '--work-path', workDir],
    ...(tcpEstablished ? ['--tcp-established'] : []),
    ...(fileLocks ? ['--file-locks'] : []),
    ...(externalUnixSockets ? ['--ext-unix-sk'] : []),
  ]
}

function toConsole(stdio: RuntimeStdio): readonly string[] {
  return stdio.type === 'terminal' ? ['--console-socket', stdio.consoleSocket] : []
}
