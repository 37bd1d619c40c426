/**
 * A chart as the page draws it: the same states and the same ways between them, with less text, so that it can be read in a
 * part of a screen. What is left out, descriptions and conditions, is told of the state or the moment that is looked at. Pure.
 */
import type {AnyStateMachine} from 'xstate'
import {type ChartModel, type ChartState, type ChartTransition, toChartModel} from '../../../chart/model.ts'

export interface PageModel {
  /** What is laid out. */
  readonly drawn: ChartModel
  /** All of it. */
  readonly whole: ChartModel
  /** Which of the drawn transitions stands for one of the whole; none for those that stay in their state. */
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

/** Of a wish that the chart takes, such as `start-requested`, what is wished for. */
export function toWish(event: string): string | undefined {
  return /^(?:.*\.)?(.+)-requested$/.exec(event)?.[1]
}

function toBareState(state: ChartState): ChartState {
  return {...state, description: undefined, entry: [], exit: [], states: state.states.map(toBareState)}
}

function toBareTransition(transition: ChartTransition): ChartTransition {
  const wish = toWish(transition.event)
  const label = wish === undefined ? transition.label.replace(/^.+-failed$/, 'failed').replaceAll('-', ' ') : `› ${wish}`
  return {...transition, guard: undefined, shortGuard: undefined, label}
}

function listStates(state: ChartState): readonly ChartState[] {
  return [state, ...state.states.flatMap(listStates)]
}
