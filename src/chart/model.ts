/**
 * A chart as data, read off the machine itself: what is drawn follows every change of the machine. Runs in a browser.
 *
 * A state is named by its path, `running.execution.active`; the machine as a whole by the empty string.
 */
import type {AnyStateMachine, AnyStateNode} from 'xstate'
import {type Guard, parseGuard, toGuardText, toShortGuardText} from './guard.ts'

export type MachineTransition = NonNullable<ReturnType<AnyStateNode['transitions']['get']>>[number]

export interface ChartModel {
  /** Of the machine: `container`. */
  readonly id: string
  readonly root: ChartState
  /** All states by their paths, the root among them; a state comes before those within it. */
  readonly states: ReadonlyMap<string, ChartState>
  /** All that the chart allows, in the order in which it tries them. */
  readonly transitions: readonly ChartTransition[]
}

export interface ChartState {
  /** Its path; empty for the machine as a whole. */
  readonly id: string
  /** The last part of its path; of the root, the machine's name. */
  readonly name: string
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final'
  readonly description: string | undefined
  /** `in-flight`, while an effect is under way. */
  readonly tags: readonly string[]
  /** Path of the state in which it begins; undefined unless it is compound. */
  readonly initial: string | undefined
  /** Effects of its entry and of its exit. */
  readonly entry: readonly string[]
  readonly exit: readonly string[]
  /** Events that a state around it takes and that it refuses. */
  readonly refuses: readonly string[]
  readonly states: readonly ChartState[]
}

export interface ChartTransition {
  /** `<source> <event>#<place among those of that event>` */
  readonly id: string
  readonly source: string
  /** Paths; empty when it stays where it is. Ours have one at most. */
  readonly targets: readonly string[]
  /** As in the ledger: `container.start-requested`. */
  readonly event: string
  /** The event without the prefix that most of this chart's events have: `start-requested`. */
  readonly label: string
  readonly condition: Guard | undefined
  /** The whole condition, in words: `hasNoLiveExec and not in running.limits.changing`. */
  readonly guard: string | undefined
  /** The same, short enough for a picture: what is nested deeper is an ellipsis. */
  readonly shortGuard: string | undefined
  readonly description: string | undefined
  /** Effects that it asks for. What it merely remembers is not among them. */
  readonly effects: readonly string[]
}

/** Of any chart of ours: nested and parallel states, whatever their number. Pure; equal machines give equal models. */
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

/** From a state to one within it: whichever of them is active, that one is next. */
export function leadsInward({source, targets}: ChartTransition): boolean {
  return source !== '' && targets.some((target) => target.startsWith(`${source}.`))
}

/** Path of a state, as the model names it. */
export function toStateId({path}: Pick<AnyStateNode, 'path'>): string {
  return path.join('.')
}

/** How the model names a transition of the machine. */
export function toTransitionId(transition: MachineTransition): string {
  const {source, eventType} = transition
  return `${toStateId(source)} ${eventType}#${source.transitions.get(eventType)?.indexOf(transition) ?? 0}`
}

/** Effects are the actions that the world carries out; xstate's own, which remember something, begin with `xstate.`. */
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

/** One without target and actions forbids what a state around it allows. */
function isAllowed({target, actions}: MachineTransition): boolean {
  return target !== undefined || actions.length > 0
}

function listNodes(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(listNodes)]
}

function listStates(state: ChartState): readonly ChartState[] {
  return [state, ...state.states.flatMap(listStates)]
}

/** `container.`, when more than half of the events begin with it. */
function commonPrefix(events: readonly string[]): string {
  const counts = Map.groupBy(events, (event) => event.slice(0, event.indexOf('.') + 1))
  const [prefix = ''] = [...counts].flatMap(([candidate, all]) => (all.length * 2 > events.length ? [candidate] : []))
  return prefix
}
