/**
 * The model of a chart, computed from the machine itself, so that pictures never differ from the code. Also runs in a browser.
 *
 * The id of a state is its path, such as `running.execution.active`; the id of the machine itself is the empty string.
 */
import type {AnyStateMachine, AnyStateNode} from 'xstate'
import {type Guard, parseGuard, toGuardText, toShortGuardText} from './guard.ts'

export type MachineTransition = NonNullable<ReturnType<AnyStateNode['transitions']['get']>>[number]

export interface ChartModel {
  /** The id of the machine, such as `container`. */
  readonly id: string
  readonly root: ChartState
  /** All states by path, including the root; a state precedes its nested states. */
  readonly states: ReadonlyMap<string, ChartState>
  /** All transitions, in the order in which the machine tries them. */
  readonly transitions: readonly ChartTransition[]
}

export interface ChartState {
  /** The path; empty for the machine itself. */
  readonly id: string
  /** The last part of the path; the id of the machine for the root. */
  readonly name: string
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final'
  readonly description: string | undefined
  /** `in-flight` while an effect runs. */
  readonly tags: readonly string[]
  /** The path of the initial state; undefined unless the state is compound. */
  readonly initial: string | undefined
  /** The effects on entry and on exit. */
  readonly entry: readonly string[]
  readonly exit: readonly string[]
  /** Events that an enclosing state accepts and this state does not. */
  readonly refuses: readonly string[]
  readonly states: readonly ChartState[]
}

export interface ChartTransition {
  /** `<source> <event>#<index among the source's transitions for that event>` */
  readonly id: string
  readonly source: string
  /** Paths; empty when the transition stays in its state. Several targets are in regions of one parallel state. */
  readonly targets: readonly string[]
  /** The type of the event, such as `container.start-requested`. */
  readonly event: string
  /** The event without the prefix that most events of the chart have: `start-requested`. */
  readonly label: string
  readonly condition: Guard | undefined
  /** The complete condition as text: `hasNoLiveExec and not in running.limits.changing`. */
  readonly guard: string | undefined
  /** A short form for pictures, with an ellipsis for nested conditions. */
  readonly shortGuard: string | undefined
  readonly description: string | undefined
  /** The effects of the transition, without assignments to the context. */
  readonly effects: readonly string[]
}

/** Pure; equal machines give equal models. */
export function toChartModel(machine: AnyStateMachine): ChartModel {
  const nodes = listNodes(machine.root)
  const prefix = commonPrefix(nodes.flatMap((node) => [...node.transitions.keys()]))
  const root = toState(machine.root)
  return {
    id: machine.id,
    root,
    states: new Map(listStates(root).map((state) => [state.id, state])),
    transitions: nodes.flatMap((node) =>
      [...node.transitions.values()]
        .flat()
        .filter(isAllowed)
        .map((one) => toTransition(one, prefix)),
    ),
  }
}

/** Whether a transition leads from a compound state to a state inside it. */
export function leadsInward({source, targets}: ChartTransition): boolean {
  return source !== '' && targets.some((target) => target.startsWith(`${source}.`))
}

/** The id of a state in the model. */
export function toStateId({path}: Pick<AnyStateNode, 'path'>): string {
  return path.join('.')
}

/** The id of a transition in the model. */
export function toTransitionId(transition: MachineTransition): string {
  const {source, eventType} = transition
  return `${toStateId(source)} ${eventType}#${source.transitions.get(eventType)?.indexOf(transition) ?? 0}`
}

/** All actions are effects, except for those of xstate itself, such as assignments, whose names begin with `xstate.`. */
export function toEffects(actions: readonly unknown[]): readonly string[] {
  return actions.flatMap((action) => {
    const type = typeof action === 'object' && action !== null && 'type' in action ? action.type : action
    return typeof type === 'string' && !type.startsWith('xstate.') ? [type] : []
  })
}

function toState(node: AnyStateNode): ChartState {
  return {
    id: toStateId(node),
    name: node.key,
    type: node.type === 'history' ? 'atomic' : node.type,
    description: node.description,
    tags: node.tags,
    initial: node.type === 'compound' ? node.initial.target.map(toStateId)[0] : undefined,
    entry: toEffects(node.entry),
    exit: toEffects(node.exit),
    refuses: [...node.transitions].flatMap(([event, all]) => (all.some(isAllowed) ? [] : [event])),
    states: Object.values(node.states).map(toState),
  }
}

function toTransition(transition: MachineTransition, prefix: string): ChartTransition {
  const {source, target, eventType, guard, description, actions} = transition
  const condition = guard === undefined ? undefined : parseGuard(guard)
  return {
    id: toTransitionId(transition),
    source: toStateId(source),
    targets: (target ?? []).map(toStateId),
    event: eventType,
    label: eventType.startsWith(prefix) ? eventType.slice(prefix.length) : eventType,
    condition,
    guard: condition && toGuardText(condition),
    shortGuard: condition && toShortGuardText(condition),
    description,
    effects: toEffects(actions),
  }
}

/** A transition without target and actions forbids an event that an enclosing state accepts. */
function isAllowed({target, actions}: MachineTransition): boolean {
  return target !== undefined || actions.length > 0
}

function listNodes(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(listNodes)]
}

function listStates(state: ChartState): readonly ChartState[] {
  return [state, ...state.states.flatMap(listStates)]
}

/** The prefix that more than half of the events have, such as `container.`. */
function commonPrefix(events: readonly string[]): string {
  const counts = Map.groupBy(events, (event) => event.slice(0, event.indexOf('.') + 1))
  const [prefix = ''] = [...counts].flatMap(([candidate, all]) => (all.length * 2 > events.length ? [candidate] : []))
  return prefix
}
