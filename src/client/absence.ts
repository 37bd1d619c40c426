/** How long a request waits for a supervisor or a coordinator that does not listen now: pure. */
import type {TallyError} from '../kernel/errors.ts'

/** Each is waited for on its own: both may have died. */
export interface Absence {
  readonly supervisor: {readonly type: 'expected'} | {readonly type: 'vacant'; readonly sinceMs: number}
  readonly coordinator: {readonly type: 'expected'} | {readonly type: 'absent'; readonly untilMs: number}
}

export const notAbsent: Absence = {supervisor: {type: 'expected'}, coordinator: {type: 'expected'}}

/** What was found out when nobody listened; `error` is the reason if the request is given up. */
export type Finding<T> =
  /** The stream, or the caller, knows the answer. */
  | {readonly type: 'answered'; readonly reply: T}
  | {readonly type: 'no coordinator'; readonly error: TallyError}
  /** The coordinator, or in its absence the stream, knows of no such container. */
  | {readonly type: 'no container'; readonly error: TallyError}
  /** The stream has the container, and neither its supervisor nor a coordinator listens. */
  | {readonly type: 'nobody'; readonly error: TallyError}
  /** The coordinator knows the container, whose supervisor has died. `isForGood`: it gets no other. */
  | {readonly type: 'no supervisor'; readonly isForGood: boolean; readonly error: TallyError}

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
      const untilMs = coordinator.type === 'absent' ? coordinator.untilMs : nowMs + toPatienceMs(finding.type, surroundings)
      return isRecent || nowMs < untilMs ? {supervisor, coordinator: {type: 'absent', untilMs}} : 'over'
    }
  }
}

function toPatienceMs(missing: 'nobody' | 'no coordinator', {wasHeard, isKnown, isCluster}: Surroundings): number {
  if (wasHeard || isKnown) return adoptionPatienceMs
  return isCluster || missing === 'nobody' ? reconnectionPatienceMs : 0
}
