/** What the chart of a container is made of: its effects, its guards, what it records of an event. */
import {and, not, or, setup, stateIn} from 'xstate'
import {toEndRequest} from './end-request.ts'
import type {ContainerContext} from './container-context.ts'
import type {EffectParams, EffectType} from './effects.ts'
import type {LedgerEvent} from '../ledger/events.ts'
import {toLimits} from '../schemas/limits.ts'
import {isStopSignal, planRestart} from './restart.ts'

const effect =
  <T extends EffectType>() =>
  (_: unknown, _params: EffectParams[T]) => {}

export const chart = setup({
  types: {
    context: {} as ContainerContext,
    events: {} as LedgerEvent,
    tags: {} as 'in-flight',
  },
  actions: {
    'runtime.create': effect<'runtime.create'>(),
    'runtime.recreate': effect<'runtime.recreate'>(),
    'runtime.start': effect<'runtime.start'>(),
    'runtime.restore': effect<'runtime.restore'>(),
    'runtime.kill': effect<'runtime.kill'>(),
    'runtime.pause': effect<'runtime.pause'>(),
    'runtime.resume': effect<'runtime.resume'>(),
    'runtime.checkpoint': effect<'runtime.checkpoint'>(),
    'runtime.update': effect<'runtime.update'>(),
    'runtime.sweep': effect<'runtime.sweep'>(),
    'runtime.delete': effect<'runtime.delete'>(),
    'stdin.close': effect<'stdin.close'>(),
    'terminal.resize': effect<'terminal.resize'>(),
    'timer.arm': effect<'timer.arm'>(),
    'timer.cancel': effect<'timer.cancel'>(),
    'restart.schedule': effect<'restart.schedule'>(),
    'restart.give-up': effect<'restart.give-up'>(),
    'request.start': effect<'request.start'>(),
    'runtime.copy-state': effect<'runtime.copy-state'>(),
    'health.watch': effect<'health.watch'>(),
    'health.end': effect<'health.end'>(),
    'oom.watch': effect<'oom.watch'>(),
    'oom.end': effect<'oom.end'>(),
    'request.delete': effect<'request.delete'>(),
    'supervisor.end': effect<'supervisor.end'>(),
  },
  guards: {
    isForced: ({event}) => event.type === 'container.delete-requested' && event.data.force,
    isFatal: ({event}) => event.type === 'container.kill-requested' && event.data.signal === 'SIGKILL',
    isAutoRemoved: ({context}) => context.request?.autoRemove === true,
    hasExited: ({context}) => context.exited !== undefined,
    hasNoLiveExec: ({context}) => context.liveExecs.length === 0,
    hasOpenStdin: ({context}) => context.request?.stdin === true && !context.stdinClosed,
    hasTerminal: ({context}) => context.terminal,
    hasInit: ({context}) => context.init !== undefined,
    /** Its processes are those of a checkpoint, which come with the start. */
    bringsInit: ({context, event}) => context.init === undefined && event.type === 'container.started' && event.data.init !== undefined,
    /** Made, from a checkpoint: there are no processes before the start. */
    isPrepared: ({context, event}) => {
      const {init, createdAt} = event.type === 'container.created' ? {...event.data, createdAt: event.time} : context
      return createdAt !== undefined && init === undefined
    },
    /** It is not made, or started, for the first time. */
    isRestarting: ({context}) => context.attempt > 0,
    /** Its policy wants it back. */
    comesBack: ({context, event}) => planRestart(toEnded(context, event)).type === 'schedule',
    /** It would, had there not been too many attempts. */
    isGivenUp: ({context, event}) => planRestart(toEnded(context, event)).type === 'give-up',
    /** Its policy is one that makes it run again after a boot, whatever ended it. */
    isKeptUp: ({context}) => context.request?.restart !== undefined && context.request.restart.policy !== 'no',
    hasHealthCheck: ({context}) => context.request?.healthCheck !== undefined,
    isHealthy: ({event}) => event.type === 'container.health-changed' && event.data.status === 'healthy',
    isUnhealthy: ({event}) => event.type === 'container.health-changed' && event.data.status === 'unhealthy',
    hasStarted: ({context}) => context.startedAt !== undefined,
    isFrozen: ({event}) => event.type === 'container.delete-failed' && event.data.paused === true,
  },
})

export const recordRequest = chart.assign(({event}) =>
  event.type === 'container.create-requested'
    ? {
        request: event.data.request,
        requestedAt: event.time,
        consoleSize: event.data.request.consoleSize,
        limits: toLimits(event.data.request),
      }
    : {},
)
/** What the one before has left in memory is forgotten; its root file system, log and limits stay. */
export const recordCreated = chart.assign(({event}) =>
  event.type === 'container.created'
    ? {
        stdinClosed: false,
        oom: undefined,
        exited: undefined,
        health: undefined,
        isStopWanted: false,
        endRequest: undefined,
        ...event.data,
        createdAt: event.time,
        startedAt: undefined,
        startedBoot: undefined,
        error: undefined,
      }
    : {},
)
/** A context as it is once the event that ends a life is recorded; guards are asked before that. */
function toEnded(context: ContainerContext, event: LedgerEvent): ContainerContext {
  return event.type === 'container.exited' ? {...context, exited: event.data} : context
}
export const recordRestart = chart.assign(({event}) =>
  event.type === 'container.restart-scheduled'
    ? {attempt: event.data.attempt, restartDueAt: event.data.dueAt, restartBootDue: event.data.bootDue}
    : {},
)
export const beginRestart = [
  chart.assign(({context}) => ({
    restarts: context.restarts + 1,
    restartDueAt: undefined,
    restartBootDue: undefined,
    startedAt: undefined,
    startedBoot: undefined,
  })),
  {
    type: 'runtime.recreate',
    params: ({context}: {context: ContainerContext}): EffectParams['runtime.recreate'] => ({request: assertThere(context.request)}),
  },
] as const
export const scheduleRestart = {
  type: 'restart.schedule',
  params: ({context}: {context: ContainerContext}): EffectParams['restart.schedule'] => {
    const plan = planRestart(context)
    return {attempt: plan.type === 'schedule' ? plan.attempt : context.attempt, delayMs: plan.type === 'schedule' ? plan.delayMs : 0}
  },
} as const
export const giveRestartsUp = {
  type: 'restart.give-up',
  params: ({context}: {context: ContainerContext}): EffectParams['restart.give-up'] => {
    const plan = planRestart(context)
    return {attempts: plan.type === 'give-up' ? plan.attempts : context.attempt}
  },
} as const
export const armRestart = {
  type: 'timer.arm',
  params: ({context}: {context: ContainerContext}) => ({
    timer: 'restart' as const,
    dueAt: context.restartDueAt ?? '',
    ...(context.restartBootDue && {bootDue: context.restartBootDue}),
  }),
} as const
export const cancelRestart = [
  chart.assign({isStopWanted: true, restartDueAt: undefined, restartBootDue: undefined}),
  {type: 'timer.cancel', params: {timer: 'restart'}},
] as const
export const recordHealth = chart.assign(({event}) =>
  event.type === 'container.health-changed' ? {health: {...event.data, time: event.time}} : {},
)
export const forgetHealth = chart.assign({health: undefined})
export const watchHealth = {
  type: 'health.watch',
  params: ({context}: {context: ContainerContext}): EffectParams['health.watch'] => ({
    check: assertThere(context.request?.healthCheck),
  }),
} as const
/** Begins, and again when its limits have changed. */
export const watchOom = {
  type: 'oom.watch',
  params: ({context}: {context: ContainerContext}): EffectParams['oom.watch'] => ({
    init: assertThere(context.init),
    cgroups: context.cgroups,
    known: context.oom?.killed ?? 0,
  }),
} as const
export const copyState = {type: 'runtime.copy-state', params: {}} as const
/** Init has ended. */
export const endWatches = [
  {type: 'oom.end', params: {}},
  {type: 'health.end', params: {}},
] as const
/** A guard has seen that it is. */
function assertThere<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the chart has let something through that is not there')
  return value
}
/** Holds the end of init back until this one's is told. */
export const recordExec = chart.assign(({context, event}) =>
  event.type === 'exec.start-requested' ? {liveExecs: [...context.liveExecs, event.data.exec]} : {},
)
export const forgetExec = chart.assign(({context, event}) => {
  const gone = 'exec' in event.data ? event.data.exec : undefined
  return {liveExecs: context.liveExecs.filter((exec) => exec !== gone)}
})
const recordStdinClosed = chart.assign({stdinClosed: true})
const recordSize = chart.assign(({event}) =>
  event.type === 'container.resized' ? {consoleSize: {columns: event.data.columns, rows: event.data.rows}} : {},
)
/** What is possible as long as there is an init to read. */
export const onInput = {
  'container.stdin-closed': {guard: 'hasOpenStdin', actions: [recordStdinClosed, {type: 'stdin.close', params: {}}]},
  'container.resized': {
    guard: 'hasTerminal',
    actions: [
      recordSize,
      {
        type: 'terminal.resize',
        params: ({event}: {event: LedgerEvent<'container.resized'>}) => ({columns: event.data.columns, rows: event.data.rows}),
      },
    ],
  },
} as const
/** What an added process needs: a container whose processes can run. */
export const onExec = {
  'exec.added': {description: 'A process is added.', actions: chart.assign({})},
  'exec.start-requested': {description: 'An added process is started.', actions: recordExec},
} as const

function toStarted({time, data: {boot, ...process}}: LedgerEvent<'container.started'>) {
  return {...process, startedAt: time, startedBoot: boot, error: undefined}
}
export const recordStarted = chart.assign(({event}) => (event.type === 'container.started' ? toStarted(event) : {}))
export const recordCheckpoint = chart.assign(({event}) =>
  event.type === 'container.checkpointed'
    ? {checkpoint: {...event.data, time: event.time}, error: undefined, ...(!event.data.leaveRunning && {isStopWanted: true})}
    : {},
)
const recordStop = chart.assign(({event}) =>
  event.type === 'container.stop-requested'
    ? {stop: event.data, unsentSignal: event.data.signal, endRequest: toEndRequest(event), isStopWanted: true}
    : {},
)
export const recordExit = chart.assign(({event}) =>
  event.type === 'container.exited' ? {exited: event.data, stop: undefined, unsentSignal: undefined, pausedAt: undefined} : {},
)
export const forgetStop = chart.assign({stop: undefined})
export const forgetPause = chart.assign({pausedAt: undefined})
export const recordKill = chart.assign(({event}) =>
  event.type === 'container.kill-requested'
    ? {unsentSignal: event.data.signal, endRequest: toEndRequest(event), ...(isStopSignal(event.data.signal) && {isStopWanted: true})}
    : {},
)
/** Of a forced one, which ends what runs. */
export const recordForce = chart.assign(({event}) => ({endRequest: toEndRequest(event)}))
export const recordSent = chart.assign({unsentSignal: undefined})
export const recordPaused = chart.assign(({event}) => ({pausedAt: event.time, error: undefined}))
export const recordResumed = chart.assign({pausedAt: undefined, error: undefined})
const recordUpdateRequest = chart.assign(({event}) => (event.type === 'container.update-requested' ? {changing: event.data.limits} : {}))
export const recordUpdated = chart.assign(({context, event}) =>
  event.type === 'container.updated' ? {limits: {...context.limits, ...event.data.limits}, changing: undefined, error: undefined} : {},
)
export const recordUnchanged = chart.assign({changing: undefined})
export const recordOom = chart.assign(({event}) => (event.type === 'container.oom' ? {oom: event.data} : {}))
export const recordFailure = chart.assign(({event}) => ('error' in event.data ? {error: event.data.error} : {}))

export const sendRequestedSignal = {
  type: 'runtime.kill',
  params: ({event}: {event: LedgerEvent}): EffectParams['runtime.kill'] => {
    if (event.type === 'container.kill-requested') return {signal: event.data.signal, ...(event.data.all && {all: true})}
    return {signal: event.type === 'container.stop-requested' ? event.data.signal : 'SIGKILL'}
  },
} as const

export const beginUpdate = [
  recordUpdateRequest,
  {
    type: 'runtime.update',
    params: ({event}: {event: LedgerEvent}): EffectParams['runtime.update'] => ({
      limits: event.type === 'container.update-requested' ? event.data.limits : {},
    }),
  },
] as const

export const beginCheckpoint = {
  type: 'runtime.checkpoint',
  params: ({event}: {event: LedgerEvent<'container.checkpoint-requested'>}) => ({checkpoint: event.data.checkpoint}),
} as const

/** From the checkpoint that its create names. */
export const restore = {
  type: 'runtime.restore',
  params: ({context}: {context: ContainerContext}) => ({checkpoint: context.request?.checkpoint ?? {image: ''}}),
} as const

export const beginStop = [
  recordStop,
  sendRequestedSignal,
  {
    type: 'timer.arm',
    params: ({context}: {context: ContainerContext}) => ({
      timer: 'stop' as const,
      dueAt: context.stop?.dueAt ?? '',
      ...(context.stop?.bootDue && {bootDue: context.stop.bootDue}),
    }),
  },
] as const

/** A frozen process takes no signal, not even SIGKILL where cgroups are of version 1. */
export const thaw = {target: 'resuming', actions: {type: 'runtime.resume', params: {}}} as const

/**
 * An exit seen while a pause, resume, checkpoint or update is in flight waits for its outcome, as it does in `starting`; and init's waits for
 * those of the processes that were added.
 */
const isSettled = and([
  'hasNoLiveExec',
  not(
    or([
      stateIn({running: {execution: 'pausing'}}),
      stateIn({running: {execution: 'resuming'}}),
      stateIn({running: {checkpoint: 'checkpointing'}}),
      stateIn({running: {limits: 'changing'}}),
      stateIn({created: 'updating'}),
    ]),
  ),
])

/** Init has ended: what it left behind is killed, and a container that nobody wants to keep asks for its deletion. */
export const onExited = [
  {
    guard: and([isSettled, 'isAutoRemoved']),
    target: '#container.stopped',
    actions: [
      recordExit,
      ...endWatches,
      {type: 'timer.cancel', params: {timer: 'stop'}},
      {type: 'runtime.sweep', params: {}},
      {type: 'request.delete', params: {reason: 'auto-remove'}},
    ],
  },
  {
    guard: and([isSettled, 'comesBack']),
    target: '#container.stopped.rescheduling',
    actions: [
      recordExit,
      ...endWatches,
      {type: 'timer.cancel', params: {timer: 'stop'}},
      {type: 'runtime.sweep', params: {isToCome: true}},
      scheduleRestart,
    ],
  },
  {
    guard: and([isSettled, 'isGivenUp']),
    target: '#container.stopped.rescheduling',
    actions: [recordExit, ...endWatches, {type: 'timer.cancel', params: {timer: 'stop'}}, giveRestartsUp],
  },
  {
    guard: isSettled,
    target: '#container.stopped',
    actions: [recordExit, ...endWatches, {type: 'timer.cancel', params: {timer: 'stop'}}, {type: 'runtime.sweep', params: {}}],
  },
] as const
