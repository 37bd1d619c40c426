/**
 * Folding: the one way from a container's events to what it is. Shared by the supervisor, the coordinator, the command
 * line and the browser. Pure; equal events give equal results.
 */
import {initialTransition, type SnapshotFrom, transition} from 'xstate'
import {containerMachine} from '../charts/container.machine.ts'
import type {Effect} from '../charts/effects.ts'
import {isExecEvent, type ExecEvent, type LedgerEvent} from './events.ts'
import {processMachine} from '../charts/process.machine.ts'
import {type TopLevelState, topLevelStates} from '../charts/states.ts'

export type ContainerSnapshot = SnapshotFrom<typeof containerMachine>
export type ProcessSnapshot = SnapshotFrom<typeof processMachine>

/** A container as its events tell it. */
export interface Ledger {
  readonly snapshot: ContainerSnapshot
  /** The processes that were added and not deleted, by their exec ids, in the order in which they were added. */
  readonly processes: ReadonlyMap<string, ProcessSnapshot>
  /** The event folded last; undefined before the first. */
  readonly latest: LedgerEvent | undefined
  /** Time of the event that entered the present top-level state. */
  readonly since: string | undefined
  /** Time of the event with which what is in flight began; undefined when nothing is. */
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

/** An event that does not follow from those before it: the ledger was tampered with, or is not of one container. */
export class LedgerError extends Error {
  readonly event: LedgerEvent

  constructor(message: string, event: LedgerEvent) {
    super(message)
    this.name = 'LedgerError'
    this.event = event
  }
}

/** @throws LedgerError for a gap, another container's event, or one that is impossible in the present state. */
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
  // An id that is known keeps its place; one that was deleted is free.
  const next = processes.has(exec)
    ? [...processes].map(([id, old]) => [id, id === exec ? snapshot : old] as const)
    : [...others, [exec, snapshot] as const]
  return {processes: new Map(snapshot.status === 'done' ? others : next), actions}
}

/** Folds a whole history; what its effects would have been is of no interest any more. */
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

/** Whether the chart accepts the event now. After the end nothing follows, though xstate would still find transitions for it. */
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

/** The chart's own actions are effects; xstate's begin with `xstate.`. */
function isEffectAction({type}: Action): boolean {
  return !type.startsWith('xstate.')
}

/** Typed by the chart's setup, which admits no action but an effect with its parameters. */
function toEffect({type, params}: Action): Effect {
  return {type, ...(params as object)} as Effect
}
