/**
 * How long commands take, by the ledger: from the event with which a command was accepted to the event of its outcome. Complete also for
 * containers that are gone, and for what happened while no coordinator ran.
 */
import type {CommandType} from '../../../machines/commands/commands.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {Ledger} from '../../../machines/ledger/ledger.ts'
import {toOutcome} from '../../../machines/ledger/outcome.ts'

export interface CommandTime {
  readonly command: string
  readonly outcome: 'done' | 'failed'
  readonly seconds: number
}

export interface CommandTimes {
  /**
   * The commands that an event settles.
   * @param ledger that of its container, with the event folded into it
   */
  observe(event: LedgerEvent, ledger: Ledger): readonly CommandTime[]
  /** How many were accepted and have no outcome yet. */
  readonly inFlight: number
  forget(): void
}

/** Commands that have an outcome, by the event with which they are accepted. */
const commands: Readonly<Record<string, CommandType>> = {
  'container.create-requested': 'create',
  'container.start-requested': 'start',
  'container.kill-requested': 'kill',
  'container.stop-requested': 'stop',
  'container.pause-requested': 'pause',
  'container.resume-requested': 'resume',
  'container.checkpoint-requested': 'checkpoint',
  'container.update-requested': 'update',
  'container.delete-requested': 'delete',
  'exec.start-requested': 'exec-start',
  'exec.kill-requested': 'exec-kill',
  'exec.delete-requested': 'exec-delete',
}

interface Pending {
  readonly command: CommandType
  readonly intentId: string
  readonly exec: string | undefined
  readonly acceptedAt: string
}

export function createCommandTimes(): CommandTimes {
  /** By the uid of the container. */
  const pending = new Map<string, readonly Pending[]>()

  return {
    observe: (event, ledger) => {
      const before = pending.get(event.uid) ?? []
      const settled = before.flatMap((one) => {
        const outcome = toOutcome(one.command, one, event, ledger)
        return outcome.type === 'pending' ? [] : [{one, time: toTime(one, event, outcome.type)}]
      })
      const rest = before.filter((one) => !settled.some((other) => other.one === one))
      remember(event, toPending(event, rest))
      return settled.map(({time}) => time)
    },
    get inFlight() {
      return [...pending.values()].reduce((sum, {length}) => sum + length, 0)
    },
    forget: () => pending.clear(),
  }

  /** A container that is gone has no pending commands. */
  function remember({uid, type}: LedgerEvent, left: readonly Pending[]): void {
    if (left.length === 0 || type === 'container.deleted') pending.delete(uid)
    else pending.set(uid, left)
  }
}

function toPending(event: LedgerEvent, before: readonly Pending[]): readonly Pending[] {
  const command = commands[event.type]
  if (!command) return before
  const exec = 'exec' in event.data ? event.data.exec : undefined
  return [...before, {command, intentId: `${event.uid}:${event.sequence}`, exec, acceptedAt: event.time}]
}

function toTime({command, acceptedAt}: Pending, {time}: LedgerEvent, outcome: 'done' | 'failed'): CommandTime {
  // The wall clock may have been set back in between.
  return {command, outcome, seconds: Math.max(0, Date.parse(time) - Date.parse(acceptedAt)) / 1_000}
}
