/** Stops, signals and forced deletions, and the exit that they bring about, or that comes by itself. */
import {and, not, or, stateIn} from 'xstate'
import type {LedgerEvent} from '../../ledger/events.ts'
import {chart} from '../container-setup.ts'
import type {EffectParams} from '../effects.ts'
import {toEndRequest} from '../end-request.ts'
import {isStopSignal} from '../restart.ts'
import {giveRestartsUp, scheduleRestart} from './restarts.ts'
import {endWatches} from './watches.ts'

const recordStop = chart.assign(({event}) =>
  event.type === 'container.stop-requested'
    ? {stop: event.data, unsentSignal: event.data.signal, endRequest: toEndRequest(event), isStopWanted: true}
    : {},
)
const recordKill = chart.assign(({event}) =>
  event.type === 'container.kill-requested'
    ? {unsentSignal: event.data.signal, endRequest: toEndRequest(event), ...(isStopSignal(event.data.signal) && {isStopWanted: true})}
    : {},
)
const recordExit = chart.assign(({event}) =>
  event.type === 'container.exited' ? {exited: event.data, stop: undefined, unsentSignal: undefined, pausedAt: undefined} : {},
)
/** Of a forced deletion, which ends what runs. */
export const recordForce = chart.assign(({event}) => ({endRequest: toEndRequest(event)}))
export const recordSent = chart.assign({unsentSignal: undefined})
export const forgetStop = chart.assign({stop: undefined})

/** Its signal now, SIGKILL when the grace period has passed. */
export const beginStop = [
  recordStop,
  {
    type: 'runtime.kill',
    params: ({event}: {event: LedgerEvent<'container.stop-requested'>}): EffectParams['runtime.kill'] => ({signal: event.data.signal}),
  },
  {
    type: 'timer.arm',
    params: ({event: {data}}: {event: LedgerEvent<'container.stop-requested'>}): EffectParams['timer.arm'] => ({
      timer: 'stop',
      dueAt: data.dueAt,
      ...(data.bootDue && {bootDue: data.bootDue}),
    }),
  },
] as const

export const sendRequestedSignal = [
  recordKill,
  {
    type: 'runtime.kill',
    params: ({event: {data}}: {event: LedgerEvent<'container.kill-requested'>}): EffectParams['runtime.kill'] => ({
      signal: data.signal,
      ...(data.all && {all: true}),
    }),
  },
] as const

export const sendSigkill = {type: 'runtime.kill', params: {signal: 'SIGKILL'}} as const
export const cancelStop = {type: 'timer.cancel', params: {timer: 'stop'}} as const
export const sweep = {type: 'runtime.sweep', params: {}} as const

/**
 * An exit seen while a pause, resume, checkpoint or update is in flight waits for its outcome, as it does in `starting`; and that of init
 * waits for those of the processes that were added.
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

const endInit = [recordExit, ...endWatches] as const

/** Init has ended: what it left behind is killed, and a container that is to be removed asks for its deletion. */
export const onExited = [
  {
    guard: and([isSettled, 'isAutoRemoved']),
    target: '#container.stopped',
    actions: [...endInit, cancelStop, sweep, {type: 'request.delete', params: {reason: 'auto-remove'}}],
  },
  {
    guard: and([isSettled, 'comesBack']),
    target: '#container.stopped.rescheduling',
    actions: [...endInit, cancelStop, {type: 'runtime.sweep', params: {isToCome: true}}, scheduleRestart],
  },
  {
    guard: and([isSettled, 'isGivenUp']),
    target: '#container.stopped.rescheduling',
    actions: [...endInit, cancelStop, giveRestartsUp],
  },
  {guard: isSettled, target: '#container.stopped', actions: [...endInit, cancelStop, sweep]},
] as const

/** The exit that a forced deletion has brought about. */
export const onExitedInDeletion = {guard: and([not('hasExited'), 'hasNoLiveExec']), actions: endInit} as const
