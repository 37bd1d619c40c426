/**
 * Falling asleep: the coordinator is asked to receive the container's requests, the shim to start the next supervisor when there is something
 * to do, and then this process ends. MUST hold: nothing that comes meanwhile is missed; achieved by both refusing when something has come,
 * upon which this supervisor goes on.
 */
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerService} from '../endpoints/service.ts'
import type {SupervisorShim} from '../shim/supervisor-shim.ts'
import {type Activity, judgeIdleness} from './idleness.ts'

export interface SleepDependencies {
  readonly activity: () => Activity
  /** Whether the container has no process: then its shim has nothing to hold, and ends as well. */
  readonly isAtRest: () => boolean
  readonly service: Pick<ContainerService, 'handOver' | 'takeBack'>
  readonly shim: Pick<SupervisorShim, 'call' | 'leave'>
  /** Puts down what is in no ledger and the next supervisor needs. */
  readonly remember: () => void
  /** Ends this process. */
  readonly end: () => Promise<never>
  readonly clock: Pick<Clock, 'elapsed' | 'at'>
  readonly logger: Pick<Logger, 'debug' | 'error'>
}

/** @param afterMs undefined for never */
export function createSleep(dependencies: SleepDependencies, {afterMs}: {readonly afterMs: number | undefined}): void {
  const {activity, isAtRest, service, shim, remember, end, clock, logger} = dependencies
  if (afterMs !== undefined) lookAt(clock.elapsed() + afterMs, afterMs)

  function lookAt(atMs: number, restMs: number): void {
    clock.at(atMs, () => void look(restMs))
  }

  async function look(restMs: number): Promise<void> {
    const nowMs = clock.elapsed()
    const idleness = judgeIdleness(activity(), {nowMs, afterMs: restMs})
    if (idleness.type === 'busy') return lookAt(Math.max(idleness.untilMs, nowMs + 1), restMs)
    try {
      const why = await fallAsleep(idleness.dueMs, restMs)
      logger.debug({why}, 'stays awake')
    } catch (error) {
      logger.error({err: error}, 'cannot fall asleep')
    }
    lookAt(clock.elapsed() + restMs, restMs)
  }

  /** @returns why it has not */
  async function fallAsleep(dueMs: number | undefined, restMs: number): Promise<string> {
    remember()
    await shim.call('deadline', {atMs: dueMs})
    const handedOver = await service.handOver()
    if (handedOver.type === 'stays') {
      await shim.call('deadline', {atMs: undefined})
      return handedOver.why
    }
    const refusal = await leave(restMs)
    if (refusal === undefined) return await end()
    await shim.call('deadline', {atMs: undefined})
    await service.takeBack()
    return refusal
  }

  /** @returns why this process has to stay; undefined when it MUST end */
  async function leave(restMs: number): Promise<string | undefined> {
    if (judgeIdleness(activity(), {nowMs: clock.elapsed(), afterMs: restMs}).type === 'busy') return 'something has happened meanwhile'
    try {
      await shim.leave(isAtRest() ? 'end' : 'sleep')
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}
