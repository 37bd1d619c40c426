/** The edges of a chart, and which of them a history has walked. */
import {type AnyStateMachine, type AnyStateNode, initialTransition} from 'xstate'
import {type ExecEvent, isExecEvent, type LedgerEvent} from '../../machines/ledger/events.ts'
import {containerMachine} from '../../machines/charts/container.machine.ts'
import {applyEvent, emptyLedger, type Ledger} from '../../machines/ledger/ledger.ts'
import {processMachine} from '../../machines/charts/process.machine.ts'
import {toContainerView} from '../../machines/views/container-view.ts'

type Transition = AnyStateNode['transitions'] extends Map<string, (infer T)[]> ? T : never

const [absent] = initialTransition(processMachine)

/** By the transition itself: `running.execution.active: container.pause-requested → pausing`. */
export type Edges = ReadonlyMap<Transition, string>

export function listEdges(machine: AnyStateMachine): Edges {
  return new Map(
    listNodes(machine.root).flatMap((node) =>
      [...node.transitions.values()]
        .flat()
        .filter(isTaken)
        .map((transition, _, all) => [transition, describe(node, transition, all)]),
    ),
  )
}

/** One without target and actions forbids what a state above allows. */
function isTaken({target, actions}: Transition): boolean {
  return target !== undefined || actions.length > 0
}

function listNodes(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values(node.states).flatMap(listNodes)]
}

/** Those with the same event differ by their guards, and are numbered. */
function describe(node: AnyStateNode, transition: Transition, all: readonly Transition[]): string {
  const alike = all.filter(({eventType}) => eventType === transition.eventType)
  const number = alike.length > 1 ? ` #${alike.indexOf(transition) + 1}` : ''
  const target = transition.target?.map(({path}) => path.join('.')).join(', ') ?? 'stays'
  return `${node.machine.id} ${node.path.join('.') || '(any state)'}: ${transition.eventType}${number} → ${target}`
}

/** One transition that a history took. */
export interface Step {
  readonly edge: Transition
  /** The state after it is the target of the edge, or, where it has none, still that in which it was taken. */
  readonly hasArrived: boolean
  /** As users are shown it: of the container, or of the added process. */
  readonly state: string
}

/** @returns the transitions that the events of one container took, in both charts */
export function walk(events: readonly LedgerEvent[]): readonly Step[] {
  let ledger = emptyLedger
  return events.flatMap((event) => {
    const before = ledger
    ;({ledger} = applyEvent(ledger, event))
    const state = toContainerView(ledger)?.state ?? 'absent'
    const own = containerMachine
      .getTransitionData(before.snapshot, event)
      .map((edge) => ({edge, hasArrived: isAt(edge, ledger.snapshot), state}))
    return isExecEvent(event) ? [...own, ...walkProcess(event, before, ledger)] : own
  })
}

function walkProcess(event: ExecEvent, before: Ledger, after: Ledger): readonly Step[] {
  const {exec} = event.data
  const snapshot = after.processes.get(exec)
  return processMachine.getTransitionData(before.processes.get(exec) ?? absent, event).map((edge) => ({
    edge,
    // One that is deleted is no longer in the ledger.
    hasArrived: snapshot ? isAt(edge, snapshot) : toStates(edge).some(({key}) => key === 'deleted'),
    state: snapshot?.value ?? 'deleted',
  }))
}

function isAt(edge: Transition, {_nodes}: {readonly _nodes: readonly AnyStateNode[]}): boolean {
  return toStates(edge).every((node) => _nodes.includes(node))
}

/** In which it is after the edge. */
export function toStates({target, source}: Transition): readonly AnyStateNode[] {
  return target ?? [source]
}
