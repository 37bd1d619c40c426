/**
 * Starting supervisors beneath their shims, and handing them their work. One is started in advance, so that a create does not wait for a
 * process to start. Both outlive the coordinator: the shim is detached, and of what the coordinator has open they inherit a log and the
 * channel, as descriptor 0, which the shim hands on to the supervisor.
 */
import {type ChildProcess, spawn} from 'node:child_process'
import {closeSync, openSync} from 'node:fs'
import {usualRestartIntensity} from '../../../machines/charts/restart-intensity.ts'
import {toOwnEnvironment} from '../../kernel/environment.ts'
import {fromFailure, TallyError} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import {type Assignment, assignmentReplySchema, type SupervisorOptions, supervisorOptionsVariable} from '../../supervisor/assignment.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import type {ContainerIdentity} from '../directories/containers.ts'

export interface Supervisors {
  /**
   * Hands a container to a supervisor. Resolves to its answer, the container's view.
   * @throws TallyError that of the supervisor, or SUPERVISOR_FAILED when it died before it answered
   */
  assign(assignment: Assignment): Promise<unknown>
  /** Whether a shim that was started here has the container, or its supervisor is about to take it, and still runs. */
  isAssigned(name: ContainerName): boolean
  /** Calls for each container whose shim, started here, has ended. */
  onEnd(listener: (container: ContainerIdentity) => void): void
  /** Starts one in advance. */
  prepare(): void
  /** Ends the one that was started in advance. */
  close(): void
}

export interface SupervisorsOptions {
  /** The bundled supervisor. */
  readonly program: string
  /** The shim, its parent. */
  readonly shimProgram: string
  readonly options: SupervisorOptions
  /** Where they write diagnostics. */
  readonly logFile: string
  readonly logger: Logger
  /** Called when a container has been made or taken over, before the caller is told. */
  readonly onReady: (container: ContainerIdentity) => void
}

/**
 * A small young generation, in MiB (node --v8-options): the buffers of a flood of output are garbage at once, and soon collected. One helper
 * thread of V8, which has little to do: each takes memory.
 */
const memoryFlags = ['--max-semi-space-size=1', '--v8-pool-size=1']

/** How a supervisor is started. @param program the bundled one */
export function toSupervisorCommand(program: string): readonly [string, ...string[]] {
  return [process.execPath, ...memoryFlags, program]
}

/** No host need allow it: then the shim is killed as others are. */
const shimOomScore = -998

const prepareDelayMs = 100

export function createSupervisors({program, shimProgram, options, logFile, logger, onReady}: SupervisorsOptions): Supervisors {
  const assigned = new Map<ChildProcess, Assignment>()
  const onEnds: ((container: ContainerIdentity) => void)[] = []
  let ready: ChildProcess | undefined
  let soon: NodeJS.Timeout | undefined

  return {
    isAssigned: (name) => [...assigned.values()].some(({namespace, id}) => namespace === name.namespace && id === name.id),
    onEnd: (listener) => void onEnds.push(listener),
    prepare,
    assign: async (assignment) => {
      const child = ready ?? start()
      child.off('message', discard)
      if (child === ready) ready = undefined
      const {pid} = child
      if (pid === undefined) throw new TallyError('SUPERVISOR_FAILED', `cannot start the shim ${shimProgram}`)
      assigned.set(child, assignment)
      child.once('exit', (code, signal) => {
        assigned.delete(child)
        logger.debug({shimPid: pid, code, signal}, 'a shim ended')
        for (const onEnd of onEnds) onEnd(assignment)
      })
      try {
        const view = await ask(child, assignment)
        onReady(assignment)
        return view
      } finally {
        if (child.connected) child.disconnect()
        prepareSoon()
      }
    },
    close: () => {
      clearTimeout(soon)
      ready?.disconnect()
      ready = undefined
    },
  }

  /** After a moment: the container that has just been made is about to be started, on the same processors. */
  function prepareSoon(): void {
    clearTimeout(soon)
    soon = setTimeout(prepare, prepareDelayMs)
  }

  function prepare(): void {
    if (ready) return
    const child = start()
    child.once('message', discard)
    child.once('exit', () => {
      if (ready === child) ready = undefined
    })
    ready = child
  }

  /** Its supervisor has died, and the next one has nothing to do: each of them answers once. */
  function discard(this: ChildProcess): void {
    logger.warn({shimPid: this.pid}, 'the supervisor that was started in advance has died')
    if (ready === this) ready = undefined
    this.disconnect()
    prepareSoon()
  }

  function start(): ChildProcess {
    const log = openSync(logFile, 'a', 0o600)
    const child = spawn(shimProgram, [...shimArguments, '--', ...toSupervisorCommand(program)], {
      argv0: 'tally-shim (ready)',
      detached: true,
      stdio: ['ipc', log, log],
      cwd: '/',
      env: {...toOwnEnvironment(), [supervisorOptionsVariable]: JSON.stringify(options)},
    })
    closeSync(log)
    child.once('error', (error) => logger.error({err: error}, 'cannot start a shim'))
    child.unref()
    return child
  }
}

const {most, periodMs, delayMs} = usualRestartIntensity
const shimArguments = ['--restarts', `${most}/${periodMs}`, '--delay', `${delayMs}`, '--oom-score-adj', `${shimOomScore}`]

/** NATS may be slow to confirm what the supervisor has published. */
const endPatienceMs = 2_000

/** After the end of a process: its last message may still have to be read. */
const lastMessageMs = 1_000

async function ask(child: ChildProcess, assignment: Assignment): Promise<unknown> {
  const {promise, resolve, reject} = Promise.withResolvers<unknown>()
  const died = () =>
    reject(new TallyError('SUPERVISOR_FAILED', `the supervisor of ${assignment.namespace}/${assignment.id} died before it answered`))
  // It comes after all messages; the end of the process may be seen before them.
  child.once('disconnect', died)
  child.once('exit', () => setTimeout(died, lastMessageMs).unref())
  child.once('message', (message) => {
    const reply = assignmentReplySchema.parse(message)
    child.off('disconnect', died)
    if (reply.type === 'done') return resolve(reply.view)
    // It ends once the failure is published and its directory removed: then the id is free again.
    const fail = () => reject(fromFailure(reply.error))
    child.once('exit', fail)
    setTimeout(fail, endPatienceMs).unref()
  })
  child.send(assignment, (error) => error && died())
  return await promise
}
