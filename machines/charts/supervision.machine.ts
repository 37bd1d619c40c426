/**
 * How the coordinator sees to it that a container has a shim, which starts its supervisors. The coordinator runs by this chart: it keeps a
 * snapshot for each container that has lost its shim, or whose shim has given up, sends what it observes, and carries out the effects.
 *
 * It is a chart of its own beside that of `supervisor.machine.ts`. That one is a fold over the ledger, and says what the ledger knows of
 * supervisors; what the coordinator observes (nobody listens on the socket of the shim, a process has ended) is in no ledger, and is
 * observed again by the next coordinator. Therefore a restarted node starts from zero, also for a container that was given up.
 */
import {setup} from 'xstate'
import {decideReplacement, selectRecent, usualRestartIntensity} from './restart-intensity.ts'

export interface SupervisionContext {
  /** When the container got another shim, oldest first: milliseconds of a clock that nobody sets. */
  readonly replacements: readonly number[]
}

export type SupervisionEvent =
  /** The shim that had the container has ended. */
  | {readonly type: 'shim.ended'}
  /** The shim starts no supervisor any more, since they died too often. */
  | {readonly type: 'shim.gave-up'}
  /** It had done so before this coordinator was there. */
  | {readonly type: 'shim.found-given-up'}
  /** It starts supervisors again. */
  | {readonly type: 'shim.resumed'}
  /** There is no shim, none that was started for the container and is still to take it, and nobody has the lock of the journal. */
  | {readonly type: 'vacancy.observed'; readonly atMs: number}
  /** The supervisor of the shim that was started has answered. */
  | {readonly type: 'supervisor.ready'}
  /** It could not be started, or refused the container, or died before it answered. */
  | {readonly type: 'assignment.failed'}
  /** Somebody needs a supervisor for a container that has no shim, whatever happened before. */
  | {readonly type: 'supervisor.requested'; readonly atMs: number}

export interface SupervisionEffectParams {
  /** Start a shim with a supervisor for the container → supervisor.ready | assignment.failed */
  readonly 'supervisor.assign': Record<never, never>
  /** Have the shim start a supervisor although it has given up → shim.resumed */
  readonly 'shim.wake': Record<never, never>
  /** Look whether it is still vacant, at that time → vacancy.observed */
  readonly 'vacancy.look': {readonly atMs: number}
  /** Write into its ledger that nobody supervises it → nothing */
  readonly 'supervisor.give-up': {readonly deaths: number; readonly periodMs: number}
}
export type SupervisionEffect = {
  readonly [T in keyof SupervisionEffectParams]: {readonly type: T} & SupervisionEffectParams[T]
}[keyof SupervisionEffectParams]

interface Input {
  readonly context: SupervisionContext
  readonly event: SupervisionEvent
}

const effect =
  <T extends keyof SupervisionEffectParams>() =>
  (_: unknown, _params: SupervisionEffectParams[T]) => {}

const chart = setup({
  types: {context: {} as SupervisionContext, events: {} as SupervisionEvent, tags: {} as 'in-flight'},
  actions: {
    'supervisor.assign': effect<'supervisor.assign'>(),
    'shim.wake': effect<'shim.wake'>(),
    'vacancy.look': effect<'vacancy.look'>(),
    'supervisor.give-up': effect<'supervisor.give-up'>(),
  },
  guards: {
    /** It had too many within the period. */
    isReplacedTooOften: (input) => decide(input).type === 'never',
    /** It has just got one; the delay is doubled with each. */
    isReplacedTooSoon: (input) => decide(input).type === 'later',
  },
})

function decide({context, event}: Input) {
  return decideReplacement(context.replacements, toTime(event))
}

function toTime(event: SupervisionEvent): number {
  if (!('atMs' in event)) throw new Error(`${event.type} tells no time`)
  return event.atMs
}

const recordReplacement = chart.assign(({context, event}) => ({
  replacements: [...selectRecent(context.replacements, toTime(event)), toTime(event)],
}))
const assign = {type: 'supervisor.assign', params: (): SupervisionEffectParams['supervisor.assign'] => ({})} as const
const wake = {type: 'shim.wake', params: (): SupervisionEffectParams['shim.wake'] => ({})} as const
const lookLater = {
  type: 'vacancy.look',
  params: (input: Input): SupervisionEffectParams['vacancy.look'] => {
    const replacement = decide(input)
    return {atMs: replacement.type === 'later' ? replacement.atMs : toTime(input.event)}
  },
} as const
const giveUp = {
  type: 'supervisor.give-up',
  params: (): SupervisionEffectParams['supervisor.give-up'] => {
    const {most: deaths, periodMs} = usualRestartIntensity
    return {deaths, periodMs}
  },
} as const

const onVacancy = [
  {guard: 'isReplacedTooOften', target: 'gave-up', actions: giveUp},
  {guard: 'isReplacedTooSoon', target: 'vacant', actions: lookLater},
  {target: 'assigning', actions: [recordReplacement, assign]},
] as const

const onRequest = {
  description: 'A supervisor is needed to delete the container, when the node deletes all of them.',
  target: 'assigning',
  actions: [recordReplacement, assign],
} as const

const onGaveUp = {target: 'gave-up', actions: giveUp} as const

const onFoundGivenUp = {
  description: 'With each start of the node it is tried again.',
  target: 'supervised',
  actions: wake,
} as const

export const supervisionMachine = chart.createMachine({
  id: 'supervision',
  description: 'How the coordinator ensures that a container has a shim, which starts its supervisors.',
  context: {replacements: []},
  initial: 'supervised',
  states: {
    supervised: {
      description: 'A shim has the container, as far as the coordinator knows; it starts a supervisor when there is something to do.',
      on: {
        'shim.ended': 'vacant',
        'shim.gave-up': onGaveUp,
        'shim.found-given-up': onFoundGivenUp,
        'vacancy.observed': onVacancy,
        'supervisor.requested': onRequest,
      },
    },
    vacant: {
      description: 'The container has no shim. The coordinator starts one at once, or after a delay if the last one died shortly before.',
      on: {
        'vacancy.observed': onVacancy,
        'shim.gave-up': onGaveUp,
        'shim.found-given-up': onFoundGivenUp,
        'supervisor.requested': onRequest,
      },
    },
    assigning: {
      description: 'A shim was started with a supervisor, which folds the journal and takes over.',
      tags: 'in-flight',
      on: {
        'supervisor.ready': 'supervised',
        'shim.ended': 'vacant',
        'shim.gave-up': onGaveUp,
        'assignment.failed': 'vacant',
      },
    },
    'gave-up': {
      description: 'Supervisors or shims died too often: no other is started before the node is started again. The container runs on.',
      on: {'shim.resumed': 'supervised', 'supervisor.requested': onRequest},
    },
  },
})
