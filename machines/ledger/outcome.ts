/** Which event settles a command, and how. Replies therefore say exactly what the ledger says. Pure. */
import type {CommandType} from '../commands/commands.ts'
import {type EventType, type Failure, isExecEvent, type LedgerEvent} from './events.ts'
import type {Ledger} from './ledger.ts'

export type Outcome = {readonly type: 'pending'} | {readonly type: 'done'} | {readonly type: 'failed'; readonly error: Failure}

const pending: Outcome = {type: 'pending'}
const done: Outcome = {type: 'done'}

/** Commands that are settled by the next event of one of two types. */
const settlingEvents = {
  start: {done: 'container.started', failed: 'container.start-failed'},
  pause: {done: 'container.paused', failed: 'container.pause-failed'},
  resume: {done: 'container.resumed', failed: 'container.resume-failed'},
  checkpoint: {done: 'container.checkpointed', failed: 'container.checkpoint-failed'},
  update: {done: 'container.updated', failed: 'container.update-failed'},
  delete: {done: 'container.deleted', failed: 'container.delete-failed'},
} as const

/**
 * @param command the command that was accepted as the event `intentId`, for init or for the added process `exec`
 * @param event the newest event, already folded into `ledger`
 */
export function toOutcome(
  command: CommandType | 'wait',
  {intentId, exec}: {readonly intentId: string | undefined; readonly exec?: string | undefined},
  event: LedgerEvent,
  ledger: Ledger,
): Outcome {
  if (exec !== undefined) return toExecOutcome(command, {intentId, exec}, event)
  switch (command) {
    case 'create':
      // A failed create is answered when its remains are removed, so that the id can be used again at once.
      if (event.type === 'container.created') return done
      if (event.type === 'container.deleted' || event.type === 'container.delete-failed') return failedWith(ledger)
      return pending
    case 'kill':
      // The container was waiting for its restart: no process existed, and the signal cancelled the restart.
      if (event.type === 'container.restart-cancelled') return done
      if (event.causationId !== intentId) return pending
      return toSettled(event, {done: 'container.signalled', failed: 'container.kill-failed'})
    case 'stop':
    case 'wait':
      if (event.type === 'container.exited' || event.type === 'container.restart-cancelled') return done
      // The container was never created, or was deleted before its start: no exit will follow.
      return event.type === 'container.deleted' ? failedWith(ledger) : pending
    case 'start':
    case 'pause':
    case 'resume':
    case 'checkpoint':
    case 'update':
    case 'delete':
      return toSettled(event, settlingEvents[command])
    default:
      // All others are done as soon as they are accepted.
      return done
  }
}

function toExecOutcome(
  command: CommandType | 'wait',
  {intentId, exec}: {readonly intentId: string | undefined; readonly exec: string},
  event: LedgerEvent,
): Outcome {
  if (!isExecEvent(event) || event.data.exec !== exec) return pending
  switch (command) {
    case 'exec-start':
      return toSettled(event, {done: 'exec.started', failed: 'exec.start-failed'})
    case 'exec-kill':
      if (event.causationId !== intentId) return pending
      return toSettled(event, {done: 'exec.signalled', failed: 'exec.kill-failed'})
    case 'exec-delete':
      return event.type === 'exec.deleted' ? done : pending
    case 'wait':
      return event.type === 'exec.exited' || event.type === 'exec.deleted' ? done : pending
    default:
      return done
  }
}

function toSettled(event: LedgerEvent, types: {readonly done: EventType; readonly failed: EventType}): Outcome {
  if (event.type === types.done) return done
  return event.type === types.failed && 'error' in event.data ? {type: 'failed', error: event.data.error} : pending
}

function failedWith({snapshot}: Ledger): Outcome {
  return snapshot.context.error ? {type: 'failed', error: snapshot.context.error} : done
}
