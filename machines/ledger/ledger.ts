/**
 * Folds the events of a container into its state; supervisor, coordinator, command line and browser all use this function.
 *
 * The way of a command: the supervisor parses it (commands/) and decides on it with the folded state (decide), an accepted command
 * becomes an event (ledger/events.ts), the event is journaled and folded here, the charts (charts/) compute the next state and return
 * effects as data, the supervisor runs the effects, and their outcomes are further events. Pure; equal events give equal results.
 */
import {initialTransition, type SnapshotFrom, transition} from 'xstate'
import {containerMachine} from '../charts/container.machine.ts'
import type {Effect} from '../charts/effects.ts'
import {isExecEvent, type ExecEvent, type LedgerEvent} from './events.ts'
import {processMachine} from '../charts/process.machine.ts'
import {type TopLevelState, topLevelStates} from '../charts/states.ts'

export type ContainerSnapshot = SnapshotFrom<typeof containerMachine>
export type ProcessSnapshot = SnapshotFrom<typeof processMachine>

/** The state of a container, as computed from its events. */
export interface Ledger {
  readonly snapshot: ContainerSnapshot
  /** The added processes that are not deleted, by exec id, in the order in which they were added. */
  readonly processes: ReadonlyMap<string, ProcessSnapshot>
  /** The last event; undefined before the first. */
  readonly latest: LedgerEvent | undefined
  /** The time of the event that entered the current top-level state. */
  readonly since: string | undefined
  /** The time of the event that started the effects in flight; undefined when nothing is in flight. */
  readonly inFlightSince: string | undefined
}

const [emptySnapshot] = initialTransition(containerMachine)
const [absentProcess] = initialTransition(processMachine)
export const emptyLedger: Ledger = {
  snapshot: emptySnapshot,
  processes: new Map(),
  latest: undefined,
  since: undefined,
  inFlightSince: undefined,
}

/** An event cannot follow the events before it: the ledger was modified, or mixes several containers. */
export class LedgerError extends Error {
  readonly event: LedgerEvent

  constructor(message: string, event: LedgerEvent) {
    super(message)
    this.name = 'LedgerError'
    this.event = event
  }
}

/** @throws LedgerError for a gap, an event of another container, or an event that is impossible in the current state */
export function applyEvent(ledger: Ledger, event: LedgerEvent): {readonly ledger: Ledger; readonly effects: readonly Effect[]} {
  assertFollows(ledger, event)
  const [snapshot, actions] = transition(containerMachine, ledger.snapshot, event)
  const next = {snapshot, latest: event}
  const since = toTopLevelState(next) === toTopLevelState(ledger) ? ledger.since : event.time
  const {processes, actions: ofProcess} = isExecEvent(event) ? applyToProcess(ledger, event) : {processes: ledger.processes, actions: []}
  const inFlightSince = snapshot.hasTag('in-flight') ? (ledger.inFlightSince ?? event.time) : undefined
  return {ledger: {...next, processes, since, inFlightSince}, effects: [...actions, ...ofProcess].filter(isEffectAction).map(toEffect)}
}

function applyToProcess({processes}: Ledger, event: ExecEvent) {
  const {exec} = event.data
  const [snapshot, actions] = transition(processMachine, processes.get(exec) ?? absentProcess, event)
  const others = [...processes].filter(([id]) => id !== exec)
  // A process keeps its place in the order. The id of a deleted process can be used again.
  const next = processes.has(exec)
    ? [...processes].map(([id, old]) => [id, id === exec ? snapshot : old] as const)
    : [...others, [exec, snapshot] as const]
  return {processes: new Map(snapshot.status === 'done' ? others : next), actions}
}

/** Folds a whole history and ignores its effects: they have been run already. */
export function foldEvents(events: Iterable<LedgerEvent>, from: Ledger = emptyLedger): Ledger {
  let ledger = from
  for (const event of events) ({ledger} = applyEvent(ledger, event))
  return ledger
}

export function toTopLevelState({snapshot}: Pick<Ledger, 'snapshot'>): TopLevelState {
  const value = typeof snapshot.value === 'string' ? snapshot.value : Object.keys(snapshot.value)[0]
  const state = topLevelStates.find((name) => name === value)
  if (!state) throw new Error(`the chart has no state ${value}`)
  return state
}

/** Whether the charts accept the event now. xstate finds transitions even for a machine in its final state, hence the status check. */
export function canFollow({snapshot, processes}: Pick<Ledger, 'snapshot' | 'processes'>, event: LedgerEvent): boolean {
  if (snapshot.status !== 'active' || !snapshot.can(event)) return false
  return !isExecEvent(event) || (processes.get(event.data.exec) ?? absentProcess).can(event)
}

function assertFollows(ledger: Ledger, event: LedgerEvent): void {
  const expected = (ledger.latest?.sequence ?? 0) + 1
  if (event.sequence !== expected) throw new LedgerError(`expected sequence ${expected}, got ${event.sequence} (${event.type})`, event)
  if (ledger.latest && event.uid !== ledger.latest.uid) {
    throw new LedgerError(`expected an event of ${ledger.latest.uid}, got one of ${event.uid}`, event)
  }
  if (!canFollow(ledger, event)) throw new LedgerError(`${event.type} is impossible in state ${toTopLevelState(ledger)}`, event)
}

interface Action {
  readonly type: string
  readonly params?: unknown
}

/** Actions of the charts are effects. Actions of xstate itself begin with `xstate.`. */
function isEffectAction({type}: Action): boolean {
  return !type.startsWith('xstate.')
}

/** The cast is safe: the setup of the charts declares effects as their only actions. */
function toEffect({type, params}: Action): Effect {
  return {type, ...(params as object)} as Effect
}
