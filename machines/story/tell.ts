/**
 * A sentence for each type of event, and what information was lost with it. The table is exhaustive: a missing type does not compile.
 * The sentences contain text from users and programs unescaped: the caller that prints them must remove control characters.
 */
import type {EventData, EventType, Failure, LedgerEvent, ResourceUsage} from '../ledger/events.ts'
import type {Limits} from '../schemas/limits.ts'
import type {ExitSource, ProcessExit} from '../ledger/process-exit.ts'
import {formatBytes, formatSpan} from './spans.ts'

export interface Telling {
  readonly text: string
  /** Information that was lost, or damage that was repaired. */
  readonly lost?: string
}

type Tellers = {readonly [T in EventType]: (event: LedgerEvent<T>) => Telling | string}

/** A sentence in the past tense, without a full stop. */
export function tell<T extends EventType>(event: LedgerEvent<T>): Telling {
  const teller: Tellers[T] = tellers[event.type]
  const told = teller(event)
  return typeof told === 'string' ? {text: told} : told
}

const tellers: Tellers = {
  'container.create-requested': ({actor, data: {request}}) => {
    const what = 'bundle' in request ? `from the bundle ${request.bundle}` : `to run ${toCommandLine(request.args)}`
    const from = request.checkpoint ? `, from the checkpoint ${request.checkpoint.image}` : ''
    return `${actor} requested a container ${what}${from}${request.autoRemove ? ', to be removed when it ends' : ''}`
  },
  'container.created': ({data: {init}}) =>
    init ? `the container was created; init is process ${init.pid}` : 'the container was created, without processes before its start',
  'container.create-failed': ({data}) => toFailed('the container could not be created', data.error),
  'container.start-requested': ({actor}) => `${actor === 'supervisor' ? 'the supervisor' : actor} requested the start`,
  'container.started': ({data: {init}}) => `the program was started${init ? `; init is process ${init.pid}` : ''}`,
  'container.start-failed': ({data}) => toFailed('the program could not be started', data.error),
  'container.kill-requested': ({actor, data}) => `${actor} requested ${data.signal}${data.all ? ' for all processes' : ''}`,
  'container.signalled': ({data}) => `${data.signal} was sent`,
  'container.kill-failed': ({data}) => toFailed(`${data.signal} could not be sent`, data.error),
  'container.stop-requested': ({actor, time, data}) =>
    `${actor} requested a stop: ${data.signal}, and SIGKILL after ${formatSpan(Date.parse(data.dueAt) - Date.parse(time))}`,
  'container.stop-timed-out': () => 'the grace period of the stop was over',
  'container.pause-requested': ({actor}) => `${actor} requested a pause`,
  'container.paused': () => 'all processes were frozen',
  'container.pause-failed': ({data}) => toFailed('the container could not be paused', data.error),
  'container.resume-requested': ({actor}) => `${actor} requested to resume`,
  'container.resumed': () => 'all processes ran again',
  'container.resume-failed': ({data}) => toFailed('the container could not be resumed', data.error),
  'container.checkpoint-requested': ({actor, data: {checkpoint}}) =>
    `${actor} requested a checkpoint in ${checkpoint.image}${checkpoint.leaveRunning ? ', leaving the container running' : ''}`,
  'container.checkpointed': ({data}) => `the processes were written to ${data.image}${data.leaveRunning ? '' : ' and killed'}`,
  'container.checkpoint-failed': ({data}) => toFailed('the checkpoint failed', data.error),
  'container.update-requested': ({actor, data}) => `${actor} requested other limits: ${toLimits(data.limits)}`,
  'container.updated': ({data}) => `the limits were set: ${toLimits(data.limits)}`,
  'container.update-failed': ({data}) => toFailed('the limits could not be set', data.error),
  'container.oom': ({data}) => `the kernel killed processes because memory ran out: ${data.killed} so far, in ${data.cgroup}`,
  'container.stdin-closed': ({actor}) => `${actor} closed the input`,
  'container.resized': ({actor, data}) => `${actor} set the terminal to ${data.columns} columns and ${data.rows} rows`,
  'container.exited': ({data}) => toEnd('the container', data, data.oomKilled ? ' because memory ran out' : ''),
  'container.health-changed': ({data: {status, failures, output}}) =>
    status === 'healthy' ? 'the health check succeeded' : `the health check failed ${count(failures, 'time')} in a row: ${output.trim()}`,
  'container.restart-scheduled': ({time, data}) =>
    `a restart was scheduled after ${formatSpan(Date.parse(data.dueAt) - Date.parse(time))}, attempt ${data.attempt}`,
  'container.restart-due': () => 'the restart was due',
  'container.restart-cancelled': () => 'the restart was cancelled because a caller stopped the container',
  'container.restart-gave-up': ({data}) => `there was no further restart because ${count(data.attempts, 'attempt')} in a row did not last`,
  'container.delete-requested': ({actor, data: {force, reason}}) =>
    toRemoval('the container', actor, {reason, how: force ? ', by force' : ''}),
  'container.deleted': () => 'the container was removed, with everything that was made for it',
  'container.delete-failed': ({data}) => toFailed('the container could not be removed', data.error),
  'exec.added': ({actor, data: {exec, spec}}) => `${actor} added process ${exec}, to run ${toCommandLine(spec.args)}`,
  'exec.start-requested': ({actor, data}) => `${actor} requested the start of process ${data.exec}`,
  'exec.started': ({data}) => `process ${data.exec} was started with pid ${data.process.pid}`,
  'exec.start-failed': ({data}) => toFailed(`process ${data.exec} could not be started`, data.error),
  'exec.kill-requested': ({actor, data}) => `${actor} requested ${data.signal} for process ${data.exec}`,
  'exec.signalled': ({data}) => `${data.signal} was sent to process ${data.exec}`,
  'exec.kill-failed': ({data}) => toFailed(`${data.signal} could not be sent to process ${data.exec}`, data.error),
  'exec.stdin-closed': ({actor, data}) => `${actor} closed the input of process ${data.exec}`,
  'exec.resized': ({actor, data}) => `${actor} set the terminal of process ${data.exec} to ${data.columns} columns and ${data.rows} rows`,
  'exec.exited': ({data}) => toEnd(`process ${data.exec}`, data),
  'exec.delete-requested': ({actor, data: {exec, reason}}) => toRemoval(`process ${exec}`, actor, {reason, how: ''}),
  'exec.deleted': ({data}) => `process ${data.exec} was removed`,
  'supervisor.adopted': ({data}) => toAdoption(data),
  'supervisor.gave-up': ({data}) => ({
    text: `${data.deaths} supervisors died within ${formatSpan(data.periodMs)}: no other was started, and the container ran on without one`,
    lost: 'there was no supervisor until the node was started again',
  }),
  'supervisor.republished': ({data}) => ({
    text: `the stream differed from the journal; the events from ${data.from} on were published again`,
    ...(data.missing > 0 && {lost: `the stream had lost ${count(data.missing, 'event')}, which the journal still had`}),
  }),
}

function toAdoption({supervisorPid, found, takenBack = 0, tornBytes = 0}: EventData<'supervisor.adopted'>): Telling {
  const repaired = [
    ...(takenBack > 0
      ? [`${count(takenBack, 'event')} that the journal had lost ${takenBack === 1 ? 'was' : 'were'} restored from the stream`]
      : []),
    ...(tornBytes > 0 ? [`${count(tornBytes, 'byte')} of an incomplete line ${tornBytes === 1 ? 'was' : 'were'} cut off the journal`] : []),
  ]
  return {
    text: `the supervisor had died, and a new one, process ${supervisorPid}, took over; it found: ${found}`,
    lost: ['there was no supervisor for a while', ...repaired].join('; '),
  }
}

function toEnd(
  name: string,
  {exit, source, usage}: {readonly exit: ProcessExit; readonly source: ExitSource; readonly usage?: ResourceUsage | undefined},
  why = '',
): Telling {
  const lost = exit.type === 'lost' ? {lost: `the exit status of ${name}: ${exit.reason}`} : {}
  return {text: `${name} ${toExitText(exit)}${why}${knownBy[source]}${toUsage(usage)}`, ...lost}
}

/** `ended with code 7`, `was killed by SIGKILL`. */
function toExitText(exit: ProcessExit): string {
  switch (exit.type) {
    case 'code':
      return `ended with code ${exit.code}`
    case 'signal':
      return `was killed by ${exit.signal}${exit.coreDumped ? ' and dumped core' : ''}`
    case 'lost':
      return `ended with an unknown status: ${exit.reason}`
  }
}

const knownBy: Readonly<Record<ExitSource, string>> = {
  waitid: '',
  coordinator: '; the coordinator collected the status',
  pidfd: '; the kernel supplied the status through a pidfd',
  none: '',
}

function toUsage(usage: ResourceUsage | undefined): string {
  if (!usage) return ''
  return `; it used ${formatSpan(usage.userMs + usage.systemMs)} of CPU time and at most ${formatBytes(usage.maxRssBytes)} of memory`
}

function toFailed(what: string, {code, message}: Failure): Telling {
  const isCut = code === 'SUPERVISOR_FAILED'
  return {text: `${what}: ${message} [${code}]`, ...(isCut && {lost: `how much of it was done when ${message}`})}
}

function toRemoval(name: string, actor: string, {reason, how}: {readonly reason: string | undefined; readonly how: string}): string {
  if (actor === 'supervisor' && reason !== undefined) return `the supervisor began to remove ${name}: ${reason}`
  return `${actor} requested the removal of ${name}${how}${reason === undefined ? '' : `: ${reason}`}`
}

function toLimits(limits: Limits): string {
  return Object.entries(limits)
    .map(([name, limit]) => `${name} ${limit ?? 'none'}`)
    .join(', ')
}

function toCommandLine(args: readonly string[]): string {
  return args.map((arg) => (/[^\w@%+=:,./-]/.test(arg) || arg === '' ? JSON.stringify(arg) : arg)).join(' ')
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? '' : 's'}`
}
