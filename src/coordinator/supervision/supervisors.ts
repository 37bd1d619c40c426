/**
 * Starting supervisors and handing them their work. One is kept ready, so that a create does not wait for a process to
 * start. A supervisor outlives us: it is detached, and nothing of ours is open in it but a log.
 */
import {type ChildProcess, spawn} from 'node:child_process'
import {closeSync, openSync} from 'node:fs'
import {toOwnEnvironment} from '../../kernel/environment.ts'
import {fromFailure, TallyError} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import {
  type Assignment,
  assignmentReplySchema,
  type InheritedDescriptor,
  type SupervisorOptions,
  supervisorOptionsVariable,
} from '../../supervisor/assignment.ts'

export interface Supervisors {
  /**
   * Hands a container to a supervisor: one that is new, when it is to inherit descriptors. Resolves to what it answers: the container's view.
   * @throws TallyError that of the supervisor, or SUPERVISOR_FAILED when it died before it answered
   */
  assign(assignment: Assignment): Promise<unknown>
  /** Pids of the supervisors started here that still run, with their containers. */
  readonly pids: ReadonlyMap<number, Assignment>
  /** Starts the one that is kept ready. */
  prepare(): void
  /** Ends the one that is kept ready. */
  close(): void
}

export interface SupervisorsOptions {
  /** The bundled supervisor. */
  readonly program: string
  readonly options: SupervisorOptions
  /** Where they write diagnostics. */
  readonly logFile: string
  readonly logger: Logger
  /** A container has been made, or taken over, of which nobody has been told yet. */
  readonly onReady: (assignment: Assignment) => void
  /** A supervisor that had a container has ended. */
  readonly onEnd: (assignment: Assignment) => void
}

/**
 * A small young generation: under a flood of output its buffers, which are garbage at once, are found while they are few
 * (node --v8-options; in MiB).
 */
const memoryFlags = ['--max-semi-space-size=1']

const prepareDelayMs = 100

export function createSupervisors({program, options, logFile, logger, onReady, onEnd}: SupervisorsOptions): Supervisors {
  const pids = new Map<number, Assignment>()
  let ready: ChildProcess | undefined
  let soon: NodeJS.Timeout | undefined

  return {
    pids,
    prepare,
    assign: async (wanted) => {
      const kept = wanted.work.type === 'recover' ? wanted.work.kept : []
      const child = kept.length > 0 ? start(kept.map(({fd}) => fd)) : (ready ?? start())
      if (child === ready) ready = undefined
      const assignment = toInherited(wanted)
      const {pid} = child
      if (pid === undefined) throw new TallyError('SUPERVISOR_FAILED', `cannot start a supervisor with ${process.execPath}`)
      pids.set(pid, assignment)
      child.once('exit', (code, signal) => {
        pids.delete(pid)
        logger.debug({supervisorPid: pid, code, signal}, 'a supervisor ended')
        onEnd(assignment)
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

  /** Not now: the container that has just been made is about to be started, on the same processors. */
  function prepareSoon(): void {
    clearTimeout(soon)
    soon = setTimeout(prepare, prepareDelayMs)
  }

  function prepare(): void {
    if (ready) return
    const child = start()
    child.once('exit', () => {
      if (ready === child) ready = undefined
    })
    ready = child
  }

  function start(inherited: readonly number[] = []): ChildProcess {
    const log = openSync(logFile, 'a', 0o600)
    const child = spawn(process.execPath, [...memoryFlags, program], {
      detached: true,
      stdio: ['ignore', log, log, 'ipc', ...inherited],
      cwd: '/',
      env: {...toOwnEnvironment(), [supervisorOptionsVariable]: JSON.stringify(options)},
    })
    closeSync(log)
    child.once('error', (error) => logger.error({err: error}, 'cannot start a supervisor'))
    child.unref()
    return child
  }
}

/** Behind the standard streams and the channel. */
const firstInherited = 4

/** With the descriptors as the supervisor will have them. */
function toInherited(assignment: Assignment): Assignment {
  const {work} = assignment
  if (work.type !== 'recover') return assignment
  const kept = work.kept.map((one, index): InheritedDescriptor => ({...one, fd: firstInherited + index}))
  return {...assignment, work: {...work, kept}}
}

/** NATS may be slow to confirm what the supervisor has told it. */
const endPatienceMs = 2_000

/** Of a process that has ended: what it has said before that may still have to be read. */
const lastWordsMs = 1_000

async function ask(child: ChildProcess, assignment: Assignment): Promise<unknown> {
  const {promise, resolve, reject} = Promise.withResolvers<unknown>()
  const died = () =>
    reject(new TallyError('SUPERVISOR_FAILED', `the supervisor of ${assignment.namespace}/${assignment.id} died before it answered`))
  // Behind all that it has said; the end of the process may be seen before that.
  child.once('disconnect', died)
  child.once('exit', () => setTimeout(died, lastWordsMs).unref())
  child.once('message', (message) => {
    const reply = assignmentReplySchema.parse(message)
    child.off('disconnect', died)
    if (reply.type === 'done') return resolve(reply.view)
    // It ends once the ledger of the failure is told and its directory removed: then the id is free again.
    const fail = () => reject(fromFailure(reply.error))
    child.once('exit', fail)
    setTimeout(fail, endPatienceMs).unref()
  })
  child.send(assignment, (error) => error && died())
  return await promise
}
