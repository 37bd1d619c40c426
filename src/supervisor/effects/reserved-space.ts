/**
 * A container can be deleted on a full disk. Its last events use the space that the node has reserved for them, and if that is used up, the
 * space of its own output, which is removed anyway.
 */
import {globSync, rmSync, truncateSync} from 'node:fs'
import {join} from 'node:path'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import type {Journal} from '../../journal/journal.ts'
import type {Logger} from '../../kernel/log.ts'
import {isFull} from '../../kernel/room.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'

export interface LastRoom {
  /** A journal that makes space for the events of a deletion where there is none. */
  journal(journal: Journal): Journal
  /** Whether there is so little space that the rest of a deletion needs what it can free. */
  isShort(): Promise<boolean>
  /** Empties the logs, also while they are open. What is written from now on is not read. */
  dropLogs(): void
}

/** Less than that, and the last events, with what the stream needs for them, may not fit. */
const leastBytes = 512 * 1024

const lastEvents: ReadonlySet<LedgerEvent['type']> = new Set(['container.delete-requested', 'container.deleted'])

export function createLastRoom(layout: Pick<ContainerLayout, 'stateDir'>, reserve: string, logger: Logger): LastRoom {
  /** Each is tried when those before have not sufficed. */
  const ways = [() => {}, () => rmSync(reserve, {force: true}), dropLogs]
  let isLast = false

  return {
    journal: (journal) => ({
      ...journal,
      append: (event) => {
        isLast ||= lastEvents.has(event.type)
        for (const [index, makeRoom] of (isLast ? ways : ways.slice(0, 1)).entries()) {
          if (index > 0) logger.warn({event: event.type}, 'no room for an event of a deletion: making some')
          makeRoom()
          const failure = tryTo(() => journal.append(event))
          if (!failure) return
          if (!isLast || index === ways.length - 1) throw failure.error
        }
      },
    }),
    isShort: () => isFull(layout.stateDir, leastBytes),
    dropLogs,
  }

  function dropLogs(): void {
    for (const path of globSync(['log', 'log.[0-9]*', 'exec/*/log', 'exec/*/log.[0-9]*'], {cwd: layout.stateDir}))
      tryTo(() => truncateSync(join(layout.stateDir, path)))
  }
}

function tryTo(work: () => void): {readonly error: unknown} | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return {error}
  }
}
