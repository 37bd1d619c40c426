/**
 * What a new supervisor does about a container whose supervisor has died: the facts that it can still learn, and the effects that may have
 * been left undone. All of it is safe to do twice.
 */
import type {Found} from './found.ts'
import type {BootInstant} from '../../../machines/ledger/boot-instant.ts'
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {ContainerContext} from '../../../machines/charts/container-context.ts'
import type {Effect, Timer} from '../../../machines/charts/effects.ts'
import {type Ledger, toTopLevelState} from '../../../machines/ledger/ledger.ts'
import {planRestart} from '../../../machines/charts/restart.ts'
import {assertNever} from '../../kernel/errors.ts'
import {type ExecRecovery, planExecs} from './recover-execs.ts'

export interface Recovery {
  /** Journaled in this order. */
  readonly facts: readonly Draft[]
  /** Run after that. */
  readonly effects: readonly Effect[]
}

/** What is about the container, and about the processes that were added. */
export interface RecoveryPlan extends Recovery, Pick<ExecRecovery, 'opened' | 'watched'> {
  /** Run before the facts: what these report comes before them. */
  readonly first: readonly Effect[]
  /** Whatever a restore in flight has left is to be removed before: it can be started again. */
  readonly isRestoreUndone: boolean
}

/** The ends of added processes come before that of init. */
export function planRecovery(ledger: Ledger, found: Found): RecoveryPlan {
  const own = planContainer(ledger, found)
  const {facts, effects, opened, watched} = planExecs(ledger, found)
  return {
    first: toOomWatch(ledger),
    facts: [...facts, ...own.facts],
    effects: [...own.effects, ...effects],
    opened,
    watched,
    isRestoreUndone: isRestoring(ledger),
  }
}

/** Also when init has gone: its groups may still have the count of kills. */
function toOomWatch({snapshot}: Ledger): readonly Effect[] {
  const {init, exited, cgroups, oom} = snapshot.context
  return init && !exited ? [{type: 'oom.watch', init, cgroups, known: oom?.killed ?? 0}] : []
}

/** Processes are being restored from a checkpoint; which of them is init is not in the ledger. */
function isRestoring({snapshot}: Ledger): boolean {
  return snapshot.matches('starting') && snapshot.context.init === undefined
}

function planContainer(ledger: Ledger, {initAlive, isExecuted, isRebooted, runtimeStatus, now, boot}: Found): Recovery {
  const state = toTopLevelState(ledger)
  const {context} = ledger.snapshot
  // Sent twice is better than never: the caller relies on it.
  const unsent: readonly Effect[] = context.unsentSignal ? [{type: 'runtime.kill', signal: context.unsentSignal}] : []
  const lost: readonly Draft[] = initAlive ? [] : [toLostExit(now, boot, isRebooted)]
  switch (state) {
    case 'absent':
    case 'deleted':
      return {facts: [], effects: [{type: 'supervisor.end'}]}
    case 'creating':
      return {facts: [{type: 'container.create-failed', data: {error: interrupted('create')}}], effects: []}
    case 'starting':
      if (isRestoring(ledger)) return {facts: [{type: 'container.start-failed', data: {error: interrupted('start')}}], effects: []}
      // A program that runs, or has run, was started, though that is not in the journal.
      if (isExecuted || (initAlive && runtimeStatus === 'running'))
        return {facts: [{type: 'container.started', data: {...(boot && {boot})}}, ...lost], effects: []}
      if (initAlive) return {facts: [], effects: [{type: 'runtime.start'}]}
      return {facts: [{type: 'container.start-failed', data: {error: interrupted('start')}}, ...lost], effects: []}
    case 'created':
      if (!context.init) return {facts: [], effects: []}
      return {
        facts: [...(initAlive ? [] : toUndone(ledger)), ...lost],
        effects: initAlive ? [...toRestart(ledger), ...unsent, ...toUpdate(ledger)] : [],
      }
    case 'running': {
      const undone = toUndoneCheckpoint(ledger)
      if (!initAlive) return {facts: [...undone, ...toUndone(ledger), ...lost], effects: []}
      const {stop} = context
      const execution = toExecution(ledger, runtimeStatus)
      const facts = [...undone, ...execution.facts]
      const effects = [...execution.effects, ...toUpdate(ledger)]
      if (ledger.snapshot.matches({running: {stop: 'killing'}}))
        return {facts, effects: [{type: 'runtime.kill', signal: 'SIGKILL'}, ...effects]}
      const timer: readonly Effect[] = stop ? [toTimer('stop', stop, now)] : []
      return {facts, effects: [...unsent, ...timer, ...effects, ...toHealth(ledger)]}
    }
    case 'waiting':
      return {
        facts: [],
        effects: [toTimer('restart', {dueAt: context.restartDueAt ?? now, bootDue: context.restartBootDue}, now, ledger.since)],
      }
    case 'stopped':
      if (ledger.snapshot.matches({stopped: 'rescheduling'})) return {facts: [], effects: toRescheduling(context)}
      // A boot is a new beginning for what is always to run.
      if (isRebooted && context.request?.restart?.policy === 'always')
        return {facts: [{type: 'container.restart-scheduled', data: {attempt: 1, dueAt: now}}], effects: []}
      return {facts: [], effects: [{type: 'runtime.sweep'}, ...(context.request?.autoRemove ? [requestDelete('auto-remove')] : [])]}
    case 'failed':
      return {facts: [], effects: [requestDelete('create failed')]}
    case 'deleting':
      return {facts: context.exited || !context.init ? [] : lost, effects: [{type: 'runtime.delete'}]}
    default:
      return assertNever(state)
  }
}

/**
 * @param since when it was set: after a boot only the wall clock is left, and if that was set back meanwhile, the timer must not take
 * longer than was meant
 */
function toTimer(timer: Timer, {dueAt, bootDue}: Due, now: string, since = now): Effect {
  const longestMs = Date.parse(dueAt) - Date.parse(since)
  const isLater = since !== now && Date.parse(dueAt) - Date.parse(now) > longestMs
  const at = isLater ? new Date(Date.parse(now) + longestMs).toISOString() : dueAt
  return {type: 'timer.arm', timer, dueAt: at, ...(bootDue && {bootDue})}
}

interface Due {
  readonly dueAt: string
  readonly bootDue?: BootInstant | undefined
}

/** A container that was made again has to be started; where that failed, its init has to end. */
function toRestart({snapshot}: Ledger): readonly Effect[] {
  const {attempt, error} = snapshot.context
  if (attempt === 0) return []
  return [error ? {type: 'runtime.kill', signal: 'SIGKILL'} : {type: 'request.start'}]
}

function toHealth({snapshot}: Ledger): readonly Effect[] {
  const check = snapshot.context.request?.healthCheck
  return check ? [{type: 'health.watch', check}] : []
}

function toRescheduling(context: ContainerContext): readonly Effect[] {
  const plan = planRestart(context)
  const sweep: Effect = {type: 'runtime.sweep', isToCome: true}
  if (plan.type === 'schedule') return [sweep, {type: 'restart.schedule', attempt: plan.attempt, delayMs: plan.delayMs}]
  return [sweep, {type: 'restart.give-up', attempts: plan.type === 'give-up' ? plan.attempts : context.attempt}]
}

/** A pause or resume that was in flight: done, as the runtime says, or to be done. */
function toExecution({snapshot}: Ledger, runtimeStatus: string | undefined): Recovery {
  if (snapshot.matches({running: {execution: 'pausing'}})) {
    return runtimeStatus === 'paused'
      ? {facts: [{type: 'container.paused', data: {}}], effects: []}
      : {facts: [], effects: [{type: 'runtime.pause'}]}
  }
  if (snapshot.matches({running: {execution: 'resuming'}})) {
    return runtimeStatus === 'running'
      ? {facts: [{type: 'container.resumed', data: {}}], effects: []}
      : {facts: [], effects: [{type: 'runtime.resume'}]}
  }
  return {facts: [], effects: []}
}

/** What was in flight when init ended has no outcome any more. */
function toUndone({snapshot}: Ledger): readonly Draft[] {
  const update: readonly Draft[] = snapshot.context.changing
    ? [{type: 'container.update-failed', data: {error: interrupted('update')}}]
    : []
  if (snapshot.matches({running: {execution: 'pausing'}}))
    return [{type: 'container.pause-failed', data: {error: interrupted('pause')}}, ...update]
  if (snapshot.matches({running: {execution: 'resuming'}}))
    return [{type: 'container.resume-failed', data: {error: interrupted('resume')}}, ...update]
  return update
}

/** Whether the runtime has finished is not known, and the image is not complete without what the supervisor adds to it. */
function toUndoneCheckpoint({snapshot}: Ledger): readonly Draft[] {
  const isTaken = snapshot.matches({running: {checkpoint: 'checkpointing'}})
  return isTaken ? [{type: 'container.checkpoint-failed', data: {error: interrupted('checkpoint')}}] : []
}

/** An update that was in flight is carried out again: it gives new values, not differences. */
function toUpdate({snapshot}: Ledger): readonly Effect[] {
  const {changing} = snapshot.context
  return changing ? [{type: 'runtime.update', limits: changing}] : []
}

/** The time is that of the recovery, since the time of the exit is not known either. */
function toLostExit(now: string, boot: BootInstant | undefined, isRebooted: boolean): Draft {
  const exit = {type: 'lost', reason: isRebooted ? 'the host was rebooted' : 'it ended while it had no supervisor'} as const
  return {type: 'container.exited', data: {exit, exitedAt: now, source: 'none', ...(boot && {boot})}}
}

function requestDelete(reason: string): Effect {
  return {type: 'request.delete', reason}
}

function interrupted(what: string) {
  return {code: 'SUPERVISOR_FAILED', kind: 'unavailable', message: `the supervisor died during ${what}`, details: {}}
}
