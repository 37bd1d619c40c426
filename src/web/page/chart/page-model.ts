/**
 * A chart as the page draws it: all states and transitions, but without descriptions and conditions, so that it can be read in a part
 * of the screen. Descriptions appear as tooltips. Pure.
 */
import type {AnyStateMachine} from 'xstate'
import {type ChartModel, type ChartState, type ChartTransition, toChartModel} from '../../../chart/model.ts'

export interface PageModel {
  /** The reduced chart, which is laid out. */
  readonly drawn: ChartModel
  /** The complete chart. */
  readonly whole: ChartModel
  /** Maps each transition of the complete chart to the drawn one. Transitions that stay in their state are not drawn. */
  readonly drawnAs: ReadonlyMap<string, string>
}

export function toPageModel(machine: AnyStateMachine): PageModel {
  const whole = toChartModel(machine)
  const leaving = whole.transitions.filter(({source, targets}) => targets.some((target) => target !== source))
  const groups = [...Map.groupBy(leaving, ({source, targets, event}) => [source, ...targets, event].join(' ')).values()]
  const root = toBareState(whole.root)
  return {
    drawn: {
      ...whole,
      root,
      states: new Map(listStates(root).map((state) => [state.id, state])),
      transitions: groups.flatMap(([first]) => (first ? [toBareTransition(first)] : [])),
    },
    whole,
    drawnAs: new Map(groups.flatMap((all) => all.flatMap(({id}) => (all[0] ? [[id, all[0].id] as const] : [])))),
  }
}

/** The command that leads to an event: `start` for `container.start-requested`. */
export function toCommand(event: string): string | undefined {
  return /^(?:.*\.)?(.+)-requested$/.exec(event)?.[1]
}

function toBareState(state: ChartState): ChartState {
  return {...state, description: undefined, entry: [], exit: [], states: state.states.map(toBareState)}
}

function toBareTransition(transition: ChartTransition): ChartTransition {
  const command = toCommand(transition.event)
  const label = command === undefined ? transition.label.replace(/^.+-failed$/, 'failed').replaceAll('-', ' ') : `› ${command}`
  return {...transition, guard: undefined, shortGuard: undefined, label}
}

function listStates(state: ChartState): readonly ChartState[] {
  return [state, ...state.states.flatMap(listStates)]
}
