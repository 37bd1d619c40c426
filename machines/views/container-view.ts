/** Computes from a ledger what is shown of a container. */
import {isBundleRequest, type RootfsRequest} from '../schemas/create-request.ts'
import {parseSource} from '../ledger/ids.ts'
import {hasLimits} from '../schemas/limits.ts'
import {type Ledger, toTopLevelState} from '../ledger/ledger.ts'
import {toProcessState} from '../commands/decide-exec.ts'
import type {ProcessSnapshot} from '../ledger/ledger.ts'
import type {ContainerView, ProcessView} from './view.ts'

/** Undefined for an empty ledger. */
export function toContainerView(ledger: Ledger, supervisorPid?: number): ContainerView | undefined {
  const {latest, snapshot, since} = ledger
  const address = latest && parseSource(latest.source)
  const {
    request,
    requestedAt,
    init,
    args,
    createdAt,
    startedAt,
    pausedAt,
    stop,
    limits,
    oom,
    exited,
    error,
    terminal,
    overlay,
    confinement,
    unsupervised,
    attempt,
    restarts,
    restartDueAt,
    checkpoint,
    stdinClosed,
  } = snapshot.context
  const execs = [...ledger.processes].flatMap(([exec, process]) => toProcessView(exec, process) ?? [])
  if (!latest || !address || !request || !requestedAt) return undefined
  return {
    ...address,
    uid: latest.uid,
    state: toTopLevelState(ledger),
    since: since ?? latest.time,
    ...(ledger.inFlightSince !== undefined && {inFlight: {state: toInFlightState(ledger), since: ledger.inFlightSince}}),
    ...(stop && {stop: {signal: stop.signal, dueAt: stop.dueAt}}),
    ...(init && !exited && {pid: init.pid}),
    ...(supervisorPid !== undefined && {supervisorPid}),
    args: [...(isBundleRequest(request) ? args : request.args)],
    ...(isBundleRequest(request) ? {bundle: request.bundle} : toRootfsView(request)),
    ...(overlay && {overlay}),
    ...(confinement && {confinement}),
    ...(request.runtime && {runtime: request.runtime}),
    ...(unsupervised && {unsupervised}),
    ...(request.restart && {restart: {...request.restart, ...(attempt > 0 && {attempt})}}),
    ...(restarts > 0 && {restarts}),
    ...(restartDueAt !== undefined && {restartDueAt}),
    ...toHealthView(ledger),
    autoRemove: request.autoRemove,
    ...(terminal && {terminal}),
    ...(request.stdin && !stdinClosed && !exited && {stdin: true}),
    ...(execs.length > 0 && {execs}),
    ...(request.labels && {labels: request.labels}),
    ...(checkpoint && {checkpoint}),
    ...(request.checkpoint && {restoredFrom: request.checkpoint.image}),
    ...(hasLimits(limits) && {limits}),
    requestedAt,
    ...(createdAt && {createdAt}),
    ...(startedAt && {startedAt}),
    ...(pausedAt && {pausedAt}),
    ...(oom && {oomKills: oom.killed}),
    ...(exited && {exit: exited.exit, exitedAt: exited.exitedAt}),
    ...(exited?.oomKilled && {oomKilled: true}),
    ...(error && {error}),
    eventCount: latest.sequence,
  }
}

function toHealthView({snapshot}: Ledger): Pick<ContainerView, 'health'> {
  const {request, health} = snapshot.context
  if (!request?.healthCheck || !snapshot.matches('running')) return {}
  return {health: {status: health?.status ?? 'starting', ...(health && {failures: health.failures, output: health.output})}}
}

/** The name of what is in flight: a nested state, or else the top-level state. */
function toInFlightState({
  snapshot,
}: Ledger): ContainerView['state'] | 'pausing' | 'resuming' | 'checkpointing' | 'updating' | 'rescheduling' {
  if (snapshot.matches({running: {execution: 'pausing'}})) return 'pausing'
  if (snapshot.matches({running: {execution: 'resuming'}})) return 'resuming'
  if (snapshot.matches({running: {checkpoint: 'checkpointing'}})) return 'checkpointing'
  if (snapshot.matches({stopped: 'rescheduling'})) return 'rescheduling'
  const isUpdating = snapshot.matches({running: {limits: 'changing'}}) || snapshot.matches({created: 'updating'})
  return isUpdating ? 'updating' : toTopLevelState({snapshot})
}

function toRootfsView({rootfs, rootfsMounts}: RootfsRequest): Pick<ContainerView, 'rootfs' | 'rootfsMounts'> {
  return {...(rootfs !== undefined && {rootfs}), ...(rootfsMounts && {rootfsMounts})}
}

/** Undefined for a process that was never added. */
export function toProcessView(exec: string, snapshot: ProcessSnapshot): ProcessView | undefined {
  const {spec, addedAt, startedAt, process, exited, error, stdinClosed} = snapshot.context
  if (!spec || !addedAt) return undefined
  return {
    exec,
    state: toProcessState(snapshot),
    ...(process && !exited && {pid: process.pid}),
    args: [...spec.args],
    ...(spec.terminal && {terminal: true}),
    ...(spec.stdin && !stdinClosed && !exited && {stdin: true}),
    addedAt,
    ...(startedAt && {startedAt}),
    ...(exited && {exit: exited.exit, exitedAt: exited.exitedAt}),
    ...(error && {error}),
  }
}
