/** How long a request waits for a supervisor or a coordinator that does not listen now: pure. */
import type {TallyError} from '../kernel/errors.ts'
import type {Outlook} from './outlook.ts'

/** Each is waited for on its own: both may have died. */
export interface Absence {
  readonly supervisor: {readonly type: 'expected'} | {readonly type: 'vacant'; readonly sinceMs: number}
  readonly coordinator: {readonly type: 'expected'} | {readonly type: 'absent'; readonly outlook: Outlook['type']; readonly untilMs: number}
}

export const notAbsent: Absence = {supervisor: {type: 'expected'}, coordinator: {type: 'expected'}}

/** What was found out when nobody listened; `error` is the reason if the request is given up. */
export type Finding<T> =
  /** The stream, or the caller, knows the answer. */
  | {readonly type: 'answered'; readonly reply: T}
  | {readonly type: 'no coordinator'; readonly outlook: Outlook['type']; readonly error: TallyError}
  /** The coordinator, or in its absence the stream, knows of no such container. */
  | {readonly type: 'no container'; readonly error: TallyError}
  /** The stream has the container, and neither its supervisor nor a coordinator listens. */
  | {readonly type: 'nobody'; readonly outlook: Outlook['type']; readonly error: TallyError}
  /** The coordinator knows the container, whose supervisor has died. `isForGood`: it gets no other. */
  | {readonly type: 'no supervisor'; readonly isForGood: boolean; readonly error: TallyError}

type Absent = Extract<Finding<unknown>, {readonly outlook: unknown}>

export interface Surroundings {
  readonly nowMs: number
  /** An earlier attempt was not refused: the process that took it has died since, and is about to be started again. */
  readonly wasHeard: boolean
  /** The connection has come back a short time ago: others may not be connected yet. */
  readonly isRecent: boolean
  /** The container has answered this client before: it is there, and is about to get another supervisor. */
  readonly isKnown: boolean
  /** There are several servers: the coordinator may be on its way to another one. */
  readonly isCluster: boolean
}

/** A coordinator notices at once that a supervisor has died; another takes over within a second, or later on a busy machine. */
export const adoptionPatienceMs = 30_000
/** Within that a coordinator or a supervisor that has lost its server is connected again, to the same server or to another one. */
export const reconnectionPatienceMs = 3_000

/** @returns 'over' when it is not worth waiting any longer */
export function judgeAbsence(
  {supervisor, coordinator}: Absence,
  finding: Exclude<Finding<unknown>, {readonly type: 'answered'}>,
  surroundings: Surroundings,
): Absence | 'over' {
  const {nowMs, isRecent} = surroundings
  switch (finding.type) {
    case 'no supervisor': {
      const sinceMs = supervisor.type === 'vacant' ? supervisor.sinceMs : nowMs
      return finding.isForGood || nowMs > sinceMs + adoptionPatienceMs ? 'over' : {coordinator, supervisor: {type: 'vacant', sinceMs}}
    }
    case 'no container':
      return isRecent ? {supervisor, coordinator} : 'over'
    case 'nobody':
    case 'no coordinator': {
      const {outlook} = finding
      if (outlook === 'given up') return 'over'
      const untilMs = toUntilMs(coordinator, finding, surroundings)
      return isRecent || nowMs < untilMs ? {supervisor, coordinator: {type: 'absent', outlook, untilMs}} : 'over'
    }
  }
}

function toUntilMs(coordinator: Absence['coordinator'], finding: Absent, surroundings: Surroundings): number {
  const {nowMs} = surroundings
  if (coordinator.type === 'expected') return nowMs + toPatienceMs(finding, surroundings)
  if (coordinator.outlook === finding.outlook) return coordinator.untilMs
  // Its parent has ended with it, or was killed and is about to be replaced by another.
  return nowMs + (finding.outlook === 'starting' ? adoptionPatienceMs : reconnectionPatienceMs)
}

function toPatienceMs({type, outlook}: Absent, {wasHeard, isKnown, isCluster}: Surroundings): number {
  if (wasHeard || isKnown || outlook === 'starting') return adoptionPatienceMs
  return isCluster || type === 'nobody' ? reconnectionPatienceMs : 0
}
