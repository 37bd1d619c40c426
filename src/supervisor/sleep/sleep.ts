/**
 * Falling asleep: the coordinator is asked to receive the container's requests, the shim to start the next supervisor when there is something
 * to do, and then this process ends. MUST hold: nothing that comes meanwhile is missed; achieved by both refusing when something has come,
 * upon which this supervisor goes on.
 *
 * One that is relieved leaves in the same way as soon as nothing is in flight, whoever looks on, and its shim starts the next one at once.
 */
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerService} from '../endpoints/service.ts'
import type {SupervisorShim} from '../shim/supervisor-shim.ts'
import {type Activity, type Idleness, judgeIdleness} from './idleness.ts'

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

export interface Sleep {
  /** Another supervisor is to take this one's place, as soon as nothing is in flight. Idempotent. */
  relieve(): void
}

/** The next one is started so long after this one has left. */
const reliefMs = 50
const reliefPollMs = 20
/** After something has kept it. */
const reliefRetryMs = 200

type Look =
  | {readonly type: 'none'}
  | {readonly type: 'armed'; readonly timer: Disposable}
  /** It is under way: what comes after it sees that this supervisor is relieved. */
  | {readonly type: 'looking'}

/** @param afterMs undefined for never */
export function createSleep(dependencies: SleepDependencies, {afterMs}: {readonly afterMs: number | undefined}): Sleep {
  const {activity, isAtRest, service, shim, remember, end, clock, logger} = dependencies
  let next: Look = {type: 'none'}
  let isRelieved = false
  if (afterMs !== undefined) lookAt(clock.elapsed() + afterMs)

  return {
    relieve: () => {
      isRelieved = true
      if (next.type === 'looking') return
      if (next.type === 'armed') next.timer[Symbol.dispose]()
      lookAt(clock.elapsed())
    },
  }

  function lookAt(atMs: number): void {
    next = {type: 'armed', timer: clock.at(atMs, () => void look())}
  }

  async function look(): Promise<void> {
    next = {type: 'looking'}
    const nowMs = clock.elapsed()
    const idleness = judge(nowMs)
    if (idleness.type === 'busy') return lookAt(Math.max(idleness.untilMs, nowMs + (isRelieved ? reliefPollMs : 1)))
    try {
      const why = await fallAsleep(idleness.dueMs)
      logger.debug({why}, 'stays awake')
    } catch (error) {
      logger.error({err: error}, 'cannot fall asleep')
    }
    lookAt(clock.elapsed() + (isRelieved ? reliefRetryMs : (afterMs ?? reliefRetryMs)))
  }

  /** Who looks on, and what is due, is left to the next supervisor when that comes at once. */
  function judge(nowMs: number): Idleness {
    if (!isRelieved) return judgeIdleness(activity(), {nowMs, afterMs: afterMs ?? Number.POSITIVE_INFINITY})
    return judgeIdleness({...activity(), attendedUntilMs: undefined, dues: []}, {nowMs, afterMs: 0})
  }

  /** @returns why it has not */
  async function fallAsleep(dueMs: number | undefined): Promise<string> {
    remember()
    await shim.call('deadline', {atMs: dueMs})
    const handedOver = await service.handOver()
    if (handedOver.type === 'stays') {
      await shim.call('deadline', {atMs: undefined})
      return handedOver.why
    }
    const refusal = await leave()
    if (refusal === undefined) return await end()
    await shim.call('deadline', {atMs: undefined})
    await service.takeBack()
    return refusal
  }

  /** @returns why this process has to stay; undefined when it MUST end */
  async function leave(): Promise<string | undefined> {
    if (judge(clock.elapsed()).type === 'busy') return 'something has happened meanwhile'
    const how = isAtRest() ? 'end' : 'sleep'
    try {
      // Before it leaves: nobody else has to see to it that there is a next one.
      if (isRelieved && how === 'sleep') await shim.call('deadline', {atMs: clock.elapsed() + reliefMs})
      await shim.leave(how)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}
