/** All containers that the stream knows, each the fold of its events. Of what has been deleted the last are remembered as they ended. */
import type {NatsConnection} from 'nats'
import {toContainerView} from '../../../machines/views/container-view.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {applyEvent, emptyLedger, type Ledger, toTopLevelState} from '../../../machines/ledger/ledger.ts'
import type {ContainerView} from '../../../machines/views/view.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {NatsLink} from '../../messaging/link.ts'
import {createEventReader} from '../../messaging/event-reader.ts'
import {lastStreamSequence} from '../../messaging/stream.ts'
import type {Subjects} from '../../messaging/subjects.ts'

export interface Projection {
  /** By source, `/tally/<node>/<ns>/<id>`. */
  readonly ledgers: ReadonlyMap<string, Ledger>
  /** Those that were deleted last, by uid, the eldest first. */
  readonly deleted: ReadonlyMap<string, ContainerView>
  /** Up to where the stream has been folded. */
  readonly streamSequence: number
  /**
   * Resolves when everything that is in the stream now has been folded, or after the time.
   * @returns whether it has been
   * @throws TallyError STREAM_UNREADABLE
   */
  caughtUp(connection: NatsConnection, patienceMs?: number): Promise<boolean>
}

export interface ProjectionOptions {
  readonly link: NatsLink
  readonly subjects: Subjects
  readonly clock: Clock
  readonly logger: Logger
  /** Who reads, for people who look at the stream's consumers. */
  readonly reader: string
  readonly observer?: FoldObserver
  /** A container as it was before an event, of which the stream does not have the beginning any more. */
  readonly readBefore?: (event: LedgerEvent) => Ledger | undefined
}

/** Who wants to hear of every event, and not only of what became of it. */
export interface FoldObserver {
  /** @param ledger with the event folded into it */
  onFolded(event: LedgerEvent, ledger: Ledger): void
  /** The stream is another one: all of it comes again. */
  onReset(): void
}

const catchUpPatienceMs = 2_000
const retryMs = 250
const longestRetryMs = 5_000
const mostDeleted = 1_000

export function createProjection({link, subjects, clock, logger, reader: name, observer, readBefore}: ProjectionOptions): Projection {
  const ledgers = new Map<string, Ledger>()
  const deleted = new Map<string, ContainerView>()
  let folded = 0
  let waiting: readonly (() => void)[] = []

  const reader = createEventReader(subjects, {
    follow: true,
    reader: name,
    // What comes again is passed over by its sequence; what was deleted is forgotten.
    once: false,
    onOther: () => {
      logger.warn('the stream is not the one that was read so far: reading it again from its beginning')
      ledgers.clear()
      deleted.clear()
      observer?.onReset()
      folded = 0
    },
  })

  link.onSession(async (connection) => {
    for (let waitMs = retryMs; !connection.isClosed(); waitMs = Math.min(longestRetryMs, 2 * waitMs)) {
      try {
        for await (const {event, streamSequence} of reader.read(connection)) {
          fold(event)
          folded = streamSequence
          waitMs = retryMs
          for (const resolve of waiting) resolve()
        }
      } catch (error) {
        if (!connection.isClosed()) logger.warn({err: error}, 'cannot read the stream; trying again')
      }
      if (!connection.isClosed()) await clock.sleep(waitMs)
    }
  })

  return {
    ledgers,
    deleted,
    get streamSequence() {
      return folded
    },
    caughtUp: async (connection, patienceMs = catchUpPatienceMs) => {
      const target = await lastStreamSequence(connection, subjects)
      const giveUpAt = clock.elapsed() + patienceMs
      while (folded < target && clock.elapsed() < giveUpAt) await Promise.race([nextFold(), clock.sleep(100)])
      return folded >= target
    },
  }

  function nextFold(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        waiting = waiting.filter((other) => other !== done)
        resolve()
      }
      waiting = [...waiting, done]
    })
  }

  function remember(ledger: Ledger): void {
    const view = toContainerView(ledger)
    if (view) deleted.set(view.uid, view)
    const [eldest] = deleted.keys()
    if (eldest !== undefined && deleted.size > mostDeleted) deleted.delete(eldest)
  }

  function fold(event: LedgerEvent): void {
    const known = ledgers.get(event.source)
    // A reused id is another container, with a history of its own.
    const followed = known && known.latest?.uid === event.uid ? known : emptyLedger
    const isGap = event.sequence > (followed.latest?.sequence ?? 0) + 1
    const from = (isGap && readBefore?.(event)) || followed
    // Published again, since the stream had lost it.
    if (event.sequence <= (from.latest?.sequence ?? 0)) return
    try {
      const {ledger} = applyEvent(from, event)
      if (toTopLevelState(ledger) === 'deleted') {
        ledgers.delete(event.source)
        remember(ledger)
      } else ledgers.set(event.source, ledger)
      observer?.onFolded(event, ledger)
    } catch (error) {
      logger.warn({err: error, source: event.source, sequence: event.sequence}, 'an event does not follow from those before it')
    }
  }
}
