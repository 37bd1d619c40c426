/** Where a chart is after some events, and what of it is lit then. Pure. */
import {type AnyMachineSnapshot, type AnyStateMachine, initialTransition, transition} from 'xstate'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {toPaths} from './guard.ts'
import type {ChartMarks} from './marks.ts'
import {toChartModel, toTransitionId} from './model.ts'

export interface Moment {
  readonly snapshot: AnyMachineSnapshot
  /** The latest event that the chart took, and how it stood before; undefined when it has taken none. */
  readonly latest: {readonly event: LedgerEvent; readonly before: AnyMachineSnapshot} | undefined
}

/**
 * @param events those of one container in order; of an added process those with its id. After a chart's end it begins again: the id
 *   of an added process that was deleted is free.
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

/** An event that the chart does not take leaves the moment as it was. */
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

/** Of a state value, the paths of all states that it names, and of those around them. */
export function toActiveStates(value: unknown): readonly string[] {
  const paths = toPaths(value).flatMap((path) => {
    const keys = path.split('.')
    return keys.map((_, index) => keys.slice(0, index + 1).join('.'))
  })
  return [...new Set(paths)]
}

/**
 * Ids of those that some event could take now. An event that has not come has no data: those whose guards look at data are tried
 * with each that makes a difference.
 */
export function toPossibleTransitions(machine: AnyStateMachine, snapshot: AnyMachineSnapshot): readonly string[] {
  if (snapshot.status !== 'active') return []
  const ids = machine.events.flatMap((type) =>
    (differences[type] ?? [{}]).flatMap((data) => findTransitions(machine, snapshot, {...blank, type, data})),
  )
  return [...new Set(ids)]
}

/** A guard that wants data which the probe has not got fails: then all of its event count as possible. */
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
/** At once or after a long time, which a restart policy tells apart. */
const exits = [
  {type: 'code', code: 0},
  {type: 'code', code: 1},
  {type: 'signal', signal: 'SIGKILL'},
].flatMap((exit) => ['', '9999-12-31T23:59:59.999Z'].map((exitedAt) => ({exit, exitedAt, source: 'waitid'})))
const differences: Readonly<Record<string, readonly object[]>> = {
  'container.created': [{}, {init: {pid: 1, startTimeTicks: 0, bootId: ''}}],
  'container.health-changed': [{status: 'healthy'}, {status: 'unhealthy'}],
  'container.kill-requested': [{signal: 'SIGTERM'}, {signal: 'SIGKILL'}],
  'container.delete-requested': [{force: false}, {force: true}],
  'container.exited': exits,
  'exec.exited': exits.map((data) => ({exec: '', ...data})),
}
