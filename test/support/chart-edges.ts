/** The edges of a chart, and which of them a history has walked. */
import {type AnyStateMachine, type AnyStateNode, initialTransition} from 'xstate'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {isExecEvent} from '../../machines/ledger/events.ts'
import {containerMachine} from '../../machines/charts/container.machine.ts'
import {applyEvent, emptyLedger} from '../../machines/ledger/ledger.ts'
import {processMachine} from '../../machines/charts/process.machine.ts'

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

/** @returns the transitions that the events of one container took, in both charts */
export function walk(events: readonly LedgerEvent[]): readonly Transition[] {
  let ledger = emptyLedger
  return events.flatMap((event) => {
    const {snapshot, processes} = ledger
    ;({ledger} = applyEvent(ledger, event))
    const own = containerMachine.getTransitionData(snapshot, event)
    if (!isExecEvent(event)) return own
    const process = processes.get(event.data.exec) ?? absent
    return [...own, ...processMachine.getTransitionData(process, event)]
  })
}
