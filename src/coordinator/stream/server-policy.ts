/** When the embedded nats-server is started again. Pure: from what was observed, and when, to what to do. */

export type Observation =
  | {readonly type: 'ended'}
  /** It runs without JetStream, because its disk was full. */
  | {readonly type: 'without-jetstream'; readonly disk: 'full' | 'has-room'}
  /** It runs with JetStream, and its disk has become full. */
  | {readonly type: 'disk-full'}
  /** It runs with JetStream. `unknown`: there is no connection on which it could be asked. */
  | {readonly type: 'asked'; readonly health: 'well' | 'off' | 'silent' | 'unknown'; readonly couldWrite: boolean}

export type ServerState =
  | {
      readonly type: 'running'
      /** When it was started; undefined for one that ran already. */
      readonly startedAtMs: number | undefined
      /** How often in a row it did not answer. */
      readonly silences: number
      readonly ends: Ends
    }
  /** It has ended, or could not be started, and is started at that time. */
  | {readonly type: 'waiting'; readonly dueAtMs: number; readonly ends: Ends}

/** When it ended, or failed to start, oldest first. */
type Ends = readonly number[]

export type Decision = {readonly type: 'none'} | {readonly type: 'restart'; readonly why: string}

/** On a busy machine one answer may be late; a server that is silent so often hangs. */
const mostSilences = 3
/** After a start, before it is started again for a reason that the start was to remove. */
const settleMs = 5_000
/** The first start after an end comes at once; then the delay is doubled with each end within the period. */
const backoff = {firstMs: 250, mostMs: 2_000, periodMs: 30_000} as const

export const foundRunning: ServerState = {type: 'running', startedAtMs: undefined, silences: 0, ends: []}

export function decideServer(
  state: ServerState,
  observation: Observation,
  nowMs: number,
): {readonly state: ServerState; readonly decision: Decision} {
  if (observation.type === 'ended') return decideEnded(state, nowMs)
  const {ends} = state
  const startedAtMs = state.type === 'running' ? state.startedAtMs : undefined
  const silences = observation.type === 'asked' && observation.health === 'silent' ? (state.type === 'running' ? state.silences : 0) + 1 : 0
  const why = findReason(observation, silences, startedAtMs !== undefined && nowMs < startedAtMs + settleMs)
  return {
    state: {type: 'running', startedAtMs, silences, ends},
    decision: why === undefined ? {type: 'none'} : {type: 'restart', why},
  }
}

/** After a restart that was decided. */
export function toStarted({ends}: ServerState, nowMs: number): ServerState {
  return {type: 'running', startedAtMs: nowMs, silences: 0, ends}
}

function decideEnded(state: ServerState, nowMs: number): {readonly state: ServerState; readonly decision: Decision} {
  const waiting = state.type === 'waiting' ? state : toWaiting(state, nowMs)
  return {state: waiting, decision: nowMs < waiting.dueAtMs ? {type: 'none'} : {type: 'restart', why: 'it has ended'}}
}

/** After an end, and after a start that failed. */
export function toWaiting(state: ServerState, nowMs: number): Extract<ServerState, {readonly type: 'waiting'}> {
  const recent = state.ends.filter((atMs) => atMs > nowMs - backoff.periodMs)
  const delayMs = recent.length === 0 ? 0 : Math.min(backoff.mostMs, backoff.firstMs * 2 ** (recent.length - 1))
  return {type: 'waiting', dueAtMs: nowMs + delayMs, ends: [...recent, nowMs]}
}

function findReason(
  observation: Exclude<Observation, {readonly type: 'ended'}>,
  silences: number,
  isSettling: boolean,
): string | undefined {
  switch (observation.type) {
    case 'without-jetstream':
      return observation.disk === 'has-room' ? 'there is room again on its disk' : undefined
    case 'disk-full':
      return 'its disk is full'
    case 'asked':
      if (isSettling) return undefined
      if (silences >= mostSilences) return 'it does not answer'
      if (observation.health === 'off') return 'it has switched JetStream off'
      return observation.couldWrite ? undefined : 'it could not write'
  }
}
