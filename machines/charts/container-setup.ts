/** What the chart of a container is made of: the effects that it can ask for, and its guards. What is recorded is in container-actions/. */
import {setup} from 'xstate'
import type {ContainerContext} from './container-context.ts'
import type {EffectParams, EffectType} from './effects.ts'
import type {LedgerEvent} from '../ledger/events.ts'
import {planRestart} from './restart.ts'

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
    /** It would, but for too many attempts. */
    isGivenUp: ({context, event}) => planRestart(toEnded(context, event)).type === 'give-up',
    /** Its policy is one that makes it run again after a boot, whatever ended it. */
    isKeptUp: ({context}) => context.request?.restart !== undefined && context.request.restart.policy !== 'no',
    hasHealthCheck: ({context}) => context.request?.healthCheck !== undefined,
    isHealthy: ({event}) => event.type === 'container.health-changed' && event.data.status === 'healthy',
    isUnhealthy: ({event}) => event.type === 'container.health-changed' && event.data.status === 'unhealthy',
    /** Its processes come with the start. */
    hasCheckpoint: ({context}) => context.request?.checkpoint !== undefined,
    hasStarted: ({context}) => context.startedAt !== undefined,
    isFrozen: ({event}) => event.type === 'container.delete-failed' && event.data.paused === true,
  },
})

/** As it is once the event that ends a life is recorded; guards are evaluated before that. */
function toEnded(context: ContainerContext, event: LedgerEvent): ContainerContext {
  return event.type === 'container.exited' ? {...context, exited: event.data} : context
}
