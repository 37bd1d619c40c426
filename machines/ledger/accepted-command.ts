/** Which command an event of the journal is the acceptance of. */
import type {CommandType} from '../commands/commands.ts'
import type {EventType, LedgerEvent} from './events.ts'

/** The events that `decide` accepts commands as. While a container waits for its restart, a stop and a kill are accepted as one event. */
const commandsByEvent: Partial<Record<EventType, readonly CommandType[]>> = {
  'container.create-requested': ['create'],
  'container.start-requested': ['start'],
  'container.kill-requested': ['kill'],
  'container.stop-requested': ['stop'],
  'container.restart-cancelled': ['stop', 'kill'],
  'container.pause-requested': ['pause'],
  'container.resume-requested': ['resume'],
  'container.stdin-closed': ['close-stdin'],
  'container.resized': ['resize'],
  'container.checkpoint-requested': ['checkpoint'],
  'container.update-requested': ['update'],
  'container.delete-requested': ['delete'],
  'exec.added': ['exec'],
  'exec.start-requested': ['exec-start'],
  'exec.kill-requested': ['exec-kill'],
  'exec.delete-requested': ['exec-delete'],
  'exec.stdin-closed': ['exec-close-stdin'],
  'exec.resized': ['exec-resize'],
}

/** @returns none for an event that followed from another event: no client can retry its command */
export function toAcceptedCommands({type, causationId}: LedgerEvent): readonly CommandType[] {
  return causationId === undefined ? (commandsByEvent[type] ?? []) : []
}
