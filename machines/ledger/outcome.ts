/** Which event settles a command, and how. Replies therefore say exactly what the ledger says. Pure. */
import type {CommandType} from '../commands/commands.ts'
import {type Failure, isExecEvent, type LedgerEvent} from './events.ts'
import type {Ledger} from './ledger.ts'

export type Outcome = {readonly type: 'pending'} | {readonly type: 'done'} | {readonly type: 'failed'; readonly error: Failure}

const pending: Outcome = {type: 'pending'}
const done: Outcome = {type: 'done'}

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
    case 'start':
      if (event.type === 'container.started') return done
      return event.type === 'container.start-failed' ? {type: 'failed', error: event.data.error} : pending
    case 'kill':
      // The container was waiting for its restart: no process existed, and the signal cancelled the restart.
      if (event.type === 'container.restart-cancelled') return done
      if (event.causationId !== intentId) return pending
      if (event.type === 'container.signalled') return done
      return event.type === 'container.kill-failed' ? {type: 'failed', error: event.data.error} : pending
    case 'pause':
      if (event.type === 'container.paused') return done
      return event.type === 'container.pause-failed' ? {type: 'failed', error: event.data.error} : pending
    case 'resume':
      if (event.type === 'container.resumed') return done
      return event.type === 'container.resume-failed' ? {type: 'failed', error: event.data.error} : pending
    case 'checkpoint':
      if (event.type === 'container.checkpointed') return done
      return event.type === 'container.checkpoint-failed' ? {type: 'failed', error: event.data.error} : pending
    case 'update':
      if (event.type === 'container.updated') return done
      return event.type === 'container.update-failed' ? {type: 'failed', error: event.data.error} : pending
    case 'stop':
    case 'wait':
      if (event.type === 'container.exited' || event.type === 'container.restart-cancelled') return done
      // The container was never created, or was deleted before its start: no exit will follow.
      return event.type === 'container.deleted' ? failedWith(ledger) : pending
    case 'delete':
      if (event.type === 'container.deleted') return done
      return event.type === 'container.delete-failed' ? {type: 'failed', error: event.data.error} : pending
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
      if (event.type === 'exec.started') return done
      return event.type === 'exec.start-failed' ? {type: 'failed', error: event.data.error} : pending
    case 'exec-kill':
      if (event.causationId !== intentId) return pending
      if (event.type === 'exec.signalled') return done
      return event.type === 'exec.kill-failed' ? {type: 'failed', error: event.data.error} : pending
    case 'exec-delete':
      return event.type === 'exec.deleted' ? done : pending
    case 'wait':
      return event.type === 'exec.exited' || event.type === 'exec.deleted' ? done : pending
    default:
      return done
  }
}

function failedWith({snapshot}: Ledger): Outcome {
  return snapshot.context.error ? {type: 'failed', error: snapshot.context.error} : done
}
