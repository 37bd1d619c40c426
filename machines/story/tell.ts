/**
 * Each event as a sentence, and what was lost with it. A table over all types: one that is missing does not compile.
 * Whatever comes from outside is quoted by whoever prints it: these texts may hold any character.
 */
import type {EventData, EventType, Failure, LedgerEvent, ResourceUsage} from '../ledger/events.ts'
import type {Limits} from '../schemas/limits.ts'
import type {ExitSource, ProcessExit} from '../ledger/process-exit.ts'
import {formatBytes, formatSpan} from './spans.ts'

export interface Telling {
  readonly text: string
  /** What nobody can know any more, or what had to be mended. */
  readonly lost?: string
}

type Tellers = {readonly [T in EventType]: (event: LedgerEvent<T>) => Telling | string}

/** As a sentence without its end, in the past tense. */
export function tell<T extends EventType>(event: LedgerEvent<T>): Telling {
  const teller: Tellers[T] = tellers[event.type]
  const told = teller(event)
  return typeof told === 'string' ? {text: told} : told
}

const tellers: Tellers = {
  'container.create-requested': ({actor, data: {request}}) => {
    const what = 'bundle' in request ? `of the bundle ${request.bundle}` : `to run ${toCommandLine(request.args)}`
    const from = request.checkpoint ? `, from the checkpoint ${request.checkpoint.image}` : ''
    return `${actor} asked for a container ${what}${from}${request.autoRemove ? ', to be removed when it ends' : ''}`
  },
  'container.created': ({data: {init}}) =>
    init ? `it was made; its init, process ${init.pid}, waited for the start` : 'it was made, without processes before its start',
  'container.create-failed': ({data}) => toFailed('it could not be made', data.error),
  'container.start-requested': ({actor}) => (actor === 'supervisor' ? 'its supervisor started it' : `${actor} asked for its start`),
  'container.started': ({data: {init}}) => `its program was started${init ? `; its init is process ${init.pid}` : ''}`,
  'container.start-failed': ({data}) => toFailed('its program could not be started', data.error),
  'container.kill-requested': ({actor, data}) => `${actor} asked for ${data.signal}${data.all ? ' to all of its processes' : ''}`,
  'container.signalled': ({data}) => `${data.signal} was sent`,
  'container.kill-failed': ({data}) => toFailed(`${data.signal} could not be sent`, data.error),
  'container.stop-requested': ({actor, time, data}) =>
    `${actor} asked for a stop: ${data.signal}, and SIGKILL after ${formatSpan(Date.parse(data.dueAt) - Date.parse(time))}`,
  'container.stop-timed-out': () => 'it had not ended in time',
  'container.pause-requested': ({actor}) => `${actor} asked to pause it`,
  'container.paused': () => 'its processes were frozen',
  'container.pause-failed': ({data}) => toFailed('it could not be paused', data.error),
  'container.resume-requested': ({actor}) => `${actor} asked to resume it`,
  'container.resumed': () => 'its processes ran again',
  'container.resume-failed': ({data}) => toFailed('it could not be resumed', data.error),
  'container.checkpoint-requested': ({actor, data: {checkpoint}}) =>
    `${actor} asked for a checkpoint in ${checkpoint.image}${checkpoint.leaveRunning ? ', leaving it running' : ''}`,
  'container.checkpointed': ({data}) => `its processes were written to ${data.image}${data.leaveRunning ? '' : ', and ended with that'}`,
  'container.checkpoint-failed': ({data}) => toFailed('the checkpoint failed', data.error),
  'container.update-requested': ({actor, data}) => `${actor} asked for other limits: ${toLimits(data.limits)}`,
  'container.updated': ({data}) => `the limits were set: ${toLimits(data.limits)}`,
  'container.update-failed': ({data}) => toFailed('the limits could not be set', data.error),
  'container.oom': ({data}) => `it ran out of memory, and the kernel killed processes of it: ${data.killed} so far, in ${data.cgroup}`,
  'container.stdin-closed': ({actor}) => `${actor} closed its input`,
  'container.resized': ({actor, data}) => `${actor} set its terminal to ${data.columns} columns and ${data.rows} rows`,
  'container.exited': ({data}) => toEnd('it', data, data.oomKilled ? ', for want of memory' : ''),
  'container.health-changed': ({data: {status, failures, output}}) =>
    status === 'healthy'
      ? 'its check found it healthy'
      : `its check found it unhealthy, ${count(failures, 'time')} in a row: ${output.trim()}`,
  'container.restart-scheduled': ({time, data}) =>
    `it was to be started again after ${formatSpan(Date.parse(data.dueAt) - Date.parse(time))}, attempt ${data.attempt}`,
  'container.restart-due': () => 'it was made again',
  'container.restart-cancelled': () => 'it was not started again, since its end was asked for',
  'container.restart-gave-up': ({data}) => `it was not started again, since ${count(data.attempts, 'attempt')} in a row had not lasted`,
  'container.delete-requested': ({actor, data: {force, reason}}) => toRemoval('it', actor, {reason, how: force ? ', by force' : ''}),
  'container.deleted': () => 'it was removed, with all that had been made for it',
  'container.delete-failed': ({data}) => toFailed('it could not be removed', data.error),
  'exec.added': ({actor, data: {exec, spec}}) => `${actor} added the process ${exec}, to run ${toCommandLine(spec.args)}`,
  'exec.start-requested': ({actor, data}) => `${actor} asked for the start of ${data.exec}`,
  'exec.started': ({data}) => `${data.exec} was started, as process ${data.process.pid}`,
  'exec.start-failed': ({data}) => toFailed(`${data.exec} could not be started`, data.error),
  'exec.kill-requested': ({actor, data}) => `${actor} asked for ${data.signal} to ${data.exec}`,
  'exec.signalled': ({data}) => `${data.signal} was sent to ${data.exec}`,
  'exec.kill-failed': ({data}) => toFailed(`${data.signal} could not be sent to ${data.exec}`, data.error),
  'exec.stdin-closed': ({actor, data}) => `${actor} closed the input of ${data.exec}`,
  'exec.resized': ({actor, data}) => `${actor} set the terminal of ${data.exec} to ${data.columns} columns and ${data.rows} rows`,
  'exec.exited': ({data}) => toEnd(data.exec, data),
  'exec.delete-requested': ({actor, data: {exec, reason}}) => toRemoval(exec, actor, {reason, how: ''}),
  'exec.deleted': ({data}) => `${data.exec} was removed`,
  'supervisor.adopted': ({data}) => toAdoption(data),
  'supervisor.gave-up': ({data}) => ({
    text: `${data.deaths} supervisors of it had died within ${formatSpan(data.periodMs)}: it got no other, and ran on with nobody to command it`,
    lost: 'it had no supervisor until the node was started again',
  }),
  'supervisor.republished': ({data}) => ({
    text: `the stream was not what had been published to it; from event ${data.from} on everything was published again`,
    ...(data.missing > 0 && {lost: `the stream had lost ${count(data.missing, 'event')}, which the journal had`}),
  }),
}

function toAdoption({supervisorPid, found, takenBack = 0, tornBytes = 0}: EventData<'supervisor.adopted'>): Telling {
  const mended = [
    ...(takenBack > 0 ? [`${count(takenBack, 'event')} that its journal had lost came back from the stream`] : []),
    ...(tornBytes > 0 ? [`${count(tornBytes, 'byte')} of a line half written were cut off its journal`] : []),
  ]
  return {
    text: `its supervisor had died, and another, process ${supervisorPid}, took over; it found: ${found}`,
    lost: ['it had no supervisor for a while', ...mended].join('; '),
  }
}

function toEnd(
  name: string,
  {exit, source, usage}: {readonly exit: ProcessExit; readonly source: ExitSource; readonly usage?: ResourceUsage | undefined},
  why = '',
): Telling {
  const lost = exit.type === 'lost' ? {lost: `how ${name} ended: ${exit.reason}`} : {}
  return {text: `${name} ${toExitText(exit)}${why}${knownBy[source]}${toUsage(usage)}`, ...lost}
}

/** `ended with code 7`, `was ended by SIGKILL`. */
export function toExitText(exit: ProcessExit): string {
  switch (exit.type) {
    case 'code':
      return `ended with code ${exit.code}`
    case 'signal':
      return `was ended by ${exit.signal}${exit.coreDumped ? ', and left a core dump' : ''}`
    case 'lost':
      return `ended, and nobody knows how: ${exit.reason}`
  }
}

const knownBy: Readonly<Record<ExitSource, string>> = {
  waitid: '',
  coordinator: '; the coordinator saw it',
  pidfd: '; its supervisor was not its parent any more, the kernel told',
  none: '',
}

function toUsage(usage: ResourceUsage | undefined): string {
  if (!usage) return ''
  return `; it had used ${formatSpan(usage.userMs + usage.systemMs)} of CPU time and at most ${formatBytes(usage.maxRssBytes)} of memory`
}

function toFailed(what: string, {code, message}: Failure): Telling {
  const isCut = code === 'SUPERVISOR_FAILED'
  return {text: `${what}: ${message} [${code}]`, ...(isCut && {lost: `how far it had come when ${message}`})}
}

function toRemoval(name: string, actor: string, {reason, how}: {readonly reason: string | undefined; readonly how: string}): string {
  if (actor === 'supervisor' && reason !== undefined) return `${name} was to be removed: ${reason}`
  return `${actor} asked for the removal of ${name}${how}${reason === undefined ? '' : `: ${reason}`}`
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
