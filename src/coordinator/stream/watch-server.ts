/** Carries out the policy of `server-policy.ts`: observes a server, and starts it again when that is decided. */
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import {decideServer, foundRunning, type Observation, type ServerState, toStarted, toWaiting} from './server-policy.ts'

export interface ServerPorts {
  readonly isAlive: () => boolean
  /** Of a server that is alive; takes its time. */
  readonly observe: () => Promise<Exclude<Observation, {readonly type: 'ended'}>>
  /** Stops the server if it is alive, and starts it. Rejects when it cannot be started. */
  readonly restart: (why: string) => Promise<void>
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
  readonly logger: Logger
  /** Aborted when the coordinator ends. */
  readonly signal: AbortSignal
}

/** Its end is looked for often, since it takes one read of /proc; everything else less often. */
const [lookMs, observeMs] = [200, 1_000]

/** Resolves when the signal has been aborted and nothing is under way any more. */
export async function watchServer({isAlive, observe, restart, clock, logger, signal}: ServerPorts): Promise<void> {
  let state: ServerState = foundRunning
  for (let observeAtMs = 0; !signal.aborted; await clock.sleep(lookMs)) {
    if (isAlive() && clock.elapsed() < observeAtMs) continue
    const observation = isAlive() ? await observe() : ({type: 'ended'} as const)
    observeAtMs = clock.elapsed() + observeMs
    const decided = decideServer(state, observation, clock.elapsed())
    ;({state} = decided)
    if (decided.decision.type === 'none' || signal.aborted) continue
    try {
      await restart(decided.decision.why)
      state = toStarted(state, clock.elapsed())
    } catch (error) {
      logger.error({err: error}, 'cannot start nats-server; trying again')
      state = toWaiting(state, clock.elapsed())
    }
  }
}
