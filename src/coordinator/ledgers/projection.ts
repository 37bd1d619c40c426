/** All containers that the stream knows, each the fold of its events. Of those that were deleted, the latest are remembered. */
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
  /** Those that were deleted last, by uid, oldest first. */
  readonly deleted: ReadonlyMap<string, ContainerView>
  /** Up to where the stream has been folded. */
  readonly streamSequence: number
  /**
   * Resolves when everything that is in the stream now has been folded, or after the time.
   * @returns whether it has been
   * @throws TallyError STREAM_UNREADABLE
   */
  caughtUp(connection: NatsConnection, patienceMs?: number): Promise<boolean>
  /** Calls the observer with each event that is folded from now on. */
  observe(observer: FoldObserver): void
}

export interface ProjectionOptions {
  readonly link: NatsLink
  readonly subjects: Subjects
  readonly clock: Clock
  readonly logger: Logger
  /** A name for the reader, for people who look at the consumers of the stream. */
  readonly reader: string
  /** A container as it was before an event, where the stream no longer has the beginning of it. */
  readonly readBefore?: (event: LedgerEvent) => Ledger | undefined
}

/** For those who need every event, and not only the state that follows from it. */
export interface FoldObserver {
  /** @param ledger with the event folded into it */
  onFolded(event: LedgerEvent, ledger: Ledger): void
  /** The stream is another one: it is read from its beginning. */
  onReset(): void
}

const catchUpPatienceMs = 2_000
const retryMs = 250
const longestRetryMs = 5_000
const mostDeleted = 1_000

export function createProjection({link, subjects, clock, logger, reader: name, readBefore}: ProjectionOptions): Projection {
  const ledgers = new Map<string, Ledger>()
  const deleted = new Map<string, ContainerView>()
  const observers: FoldObserver[] = []
  let folded = 0
  let waiting: readonly (() => void)[] = []

  const reader = createEventReader(subjects, {
    follow: true,
    reader: name,
    // An event that comes again is recognised by its sequence; events of deleted containers are forgotten.
    once: false,
    onOther: () => {
      logger.warn('the stream is not the one that was read so far: reading it again from its beginning')
      ledgers.clear()
      deleted.clear()
      for (const observer of observers) observer.onReset()
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
    observe: (observer) => void observers.push(observer),
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
    const [oldest] = deleted.keys()
    if (oldest !== undefined && deleted.size > mostDeleted) deleted.delete(oldest)
  }

  function fold(event: LedgerEvent): void {
    const known = ledgers.get(event.source)
    // A reused id is another container, with a history of its own.
    const followed = known && known.latest?.uid === event.uid ? known : emptyLedger
    const isGap = event.sequence > (followed.latest?.sequence ?? 0) + 1
    const from = (isGap && readBefore?.(event)) || followed
    // It was published again, because the stream had lost it.
    if (event.sequence <= (from.latest?.sequence ?? 0)) return
    try {
      const {ledger} = applyEvent(from, event)
      if (toTopLevelState(ledger) === 'deleted') {
        ledgers.delete(event.source)
        remember(ledger)
      } else ledgers.set(event.source, ledger)
      for (const observer of observers) observer.onFolded(event, ledger)
    } catch (error) {
      logger.warn({err: error, source: event.source, sequence: event.sequence}, 'an event does not follow from those before it')
    }
  }
}
