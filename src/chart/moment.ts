/** The state of a chart after some events, and its highlights. Pure. */
import {type AnyMachineSnapshot, type AnyStateMachine, initialTransition, transition} from 'xstate'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {toPaths} from './guard.ts'
import type {ChartMarks} from './marks.ts'
import {toChartModel, toTransitionId} from './model.ts'

export interface Moment {
  readonly snapshot: AnyMachineSnapshot
  /** The last event that the chart accepted, and the snapshot before it; undefined when it has accepted none. */
  readonly latest: {readonly event: LedgerEvent; readonly before: AnyMachineSnapshot} | undefined
}

/**
 * @param events the events of one container, or of one added process, in order. After its final state a chart starts again, since the id
 *   of a deleted process can be used again.
 */
export function foldMachine(machine: AnyStateMachine, events: Iterable<LedgerEvent>): Moment {
  let moment = toFirstMoment(machine)
  for (const event of events) moment = toNextMoment(machine, moment, event)
  return moment
}

export function toFirstMoment(machine: AnyStateMachine): Moment {
  const [snapshot] = initialTransition(machine)
  return {snapshot, latest: undefined}
}

/** An event that the chart does not accept leaves the moment unchanged. */
export function toNextMoment(machine: AnyStateMachine, moment: Moment, event: LedgerEvent): Moment {
  const before = moment.snapshot.status === 'active' ? moment.snapshot : toFirstMoment(machine).snapshot
  if ((machine.getTransitionData(before, event) ?? []).length === 0) return moment
  const [snapshot] = transition(machine, before, event)
  return {snapshot, latest: {event, before}}
}

export function toMarks(machine: AnyStateMachine, {snapshot, latest}: Moment): ChartMarks {
  return {
    active: new Set(toActiveStates(snapshot.value)),
    possible: new Set(toPossibleTransitions(machine, snapshot)),
    last: new Set(latest ? machine.getTransitionData(latest.before, latest.event)?.map(toTransitionId) : []),
  }
}

/** The paths of all states in a state value, including enclosing ones. */
export function toActiveStates(value: unknown): readonly string[] {
  const paths = toPaths(value).flatMap((path) => {
    const keys = path.split('.')
    return keys.map((_, index) => keys.slice(0, index + 1).join('.'))
  })
  return [...new Set(paths)]
}

/**
 * The ids of the transitions that an event could take now. Guards may read data, which a future event does not have yet: such events
 * are tried with sample data for each outcome of their guards.
 */
export function toPossibleTransitions(machine: AnyStateMachine, snapshot: AnyMachineSnapshot): readonly string[] {
  if (snapshot.status !== 'active') return []
  const ids = machine.events.flatMap((type) =>
    (samples[type] ?? [{}]).flatMap((data) => findTransitions(machine, snapshot, {...blank, type, data})),
  )
  return [...new Set(ids)]
}

/** A guard that reads data which the sample lacks throws: all transitions for its event then count as possible. */
function findTransitions(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  probe: {readonly type: string; readonly data: object},
): readonly string[] {
  try {
    return machine.getTransitionData(snapshot, probe)?.map(toTransitionId) ?? []
  } catch {
    const {transitions} = toChartModel(machine)
    const active = new Set(['', ...toActiveStates(snapshot.value)])
    return transitions.filter(({event, source}) => event === probe.type && active.has(source)).map(({id}) => id)
  }
}

const blank = {time: '', sequence: 0, uid: '', source: '', actor: '', correlationId: '', causationId: undefined} as const
/** Each exit both immediately and after a long time, which restart policies distinguish. */
const exits = [
  {type: 'code', code: 0},
  {type: 'code', code: 1},
  {type: 'signal', signal: 'SIGKILL'},
].flatMap((exit) => ['', '9999-12-31T23:59:59.999Z'].map((exitedAt) => ({exit, exitedAt, source: 'waitid'})))
const samples: Readonly<Record<string, readonly object[]>> = {
  'container.created': [{}, {init: {pid: 1, startTimeTicks: 0, bootId: ''}}],
  'container.health-changed': [{status: 'healthy'}, {status: 'unhealthy'}],
  'container.kill-requested': [{signal: 'SIGTERM'}, {signal: 'SIGKILL'}],
  'container.delete-requested': [{force: false}, {force: true}],
  'container.exited': exits,
  'exec.exited': exits.map((data) => ({exec: '', ...data})),
}
