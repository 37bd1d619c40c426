/** Restart policies: what follows from the end of a container, as docker and podman name it. Pure. */
import type {RestartPolicy} from '../schemas/restart-policy.ts'
import {spanMs} from '../ledger/boot-instant.ts'
import type {ContainerContext} from './container-context.ts'
import {isSuccess} from '../ledger/process-exit.ts'
import type {SignalName} from '../schemas/signals.ts'

/** What follows. `delayMs` is the longest delay; the one chosen is shorter at random, so that containers do not all restart at once. */
export type RestartPlan =
  | {readonly type: 'none'}
  | {readonly type: 'schedule'; readonly attempt: number; readonly delayMs: number}
  | {readonly type: 'give-up'; readonly attempts: number}

/** How many restarts in a row did not last, the next one included, and whether there is a next one. */
export function planRestart({request, attempt, startedAt, startedBoot, exited, isStopWanted}: ContainerContext): RestartPlan {
  const {policy, maxRetries, delayMs, maxDelayMs, windowMs} = request?.restart ?? never
  const wasToStart = startedAt !== undefined || attempt > 0
  const hasFailed = startedAt === undefined || !exited || !isSuccess(exited.exit)
  if (policy === 'no' || isStopWanted || !wasToStart || (policy === 'on-failure' && !hasFailed)) return {type: 'none'}
  const ended = exited && {time: exited.exitedAt, boot: exited.boot}
  const ranMs = startedAt !== undefined && ended ? spanMs({time: startedAt, boot: startedBoot}, ended) : 0
  const next = (ranMs >= windowMs ? 0 : attempt) + 1
  if (maxRetries !== undefined && next > maxRetries) return {type: 'give-up', attempts: next - 1}
  return {type: 'schedule', attempt: next, delayMs: Math.min(maxDelayMs, delayMs * 2 ** Math.min(next - 1, 31))}
}

/** A user who sends it wants the container to end, and not to restart. */
export function isStopSignal(signal: SignalName): boolean {
  return signal === 'SIGKILL' || signal === 'SIGTERM'
}

const never: RestartPolicy = {policy: 'no', delayMs: 0, maxDelayMs: 0, windowMs: 0}
