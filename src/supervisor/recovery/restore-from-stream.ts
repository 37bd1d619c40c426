/** Events that the stream has and the journal has not: a power cut takes what was written and not yet on the disk. */
import type {EventData, LedgerEvent} from '../../../machines/ledger/events.ts'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import {applyEvent, type Ledger} from '../../../machines/ledger/ledger.ts'
import type {Journal, JournalRepair} from '../../journal/journal.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import {readBootId} from '../../linux/process-table.ts'
import type {NatsLink} from '../../messaging/link.ts'
import {readEvents} from '../../messaging/read-events.ts'
import {lastEventOf} from '../../messaging/stream.ts'
import type {Subjects} from '../../messaging/subjects.ts'

export interface TakeBackOptions {
  readonly journal: Journal
  /** Folded from that. */
  readonly ledger: Ledger
  readonly link: Pick<NatsLink, 'connected'>
  readonly subjects: Subjects
  readonly address: ContainerAddress
  readonly uid: string
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
}

/** A journal that has lived through the death of its supervisor alone has all that was appended: then NATS is not worth a long wait. */
const patienceMs = {sameBoot: 1_000, otherBoot: 10_000} as const

export interface TakenBack {
  /** How many were written back. */
  readonly restored: number
  /** With them. */
  readonly ledger: Ledger
}

/**
 * Writes them back into the journal, as far as they continue it. Whatever does not is taken out of the stream by the outbox, which says so.
 * @throws TallyError JOURNAL_WRITE_FAILED
 */
export async function restoreFromStream({
  journal,
  ledger,
  link,
  subjects,
  address,
  uid,
  clock,
  logger,
}: TakeBackOptions): Promise<TakenBack> {
  const {init} = ledger.snapshot.context
  const waitMs = init?.bootId === readBootId() ? patienceMs.sameBoot : patienceMs.otherBoot
  const late = clock.sleep(waitMs)
  const ahead = await Promise.race([readAhead(), late]).catch((error: unknown) => logger.warn({err: error}, 'cannot ask the stream'))
  if (!ahead) {
    logger.warn({waitMs}, 'NATS did not tell in time whether the journal has lost events: going on without')
    return {restored: 0, ledger}
  }
  const {continuing, conflict, ledger: after} = planTakeBack(ledger, ahead)
  for (const event of continuing) journal.append(event)
  if (continuing.length > 0) {
    await journal.sync()
    logger.warn({from: continuing[0]?.sequence, count: continuing.length}, 'the journal was behind the stream: took its events back')
  }
  if (conflict) logger.error({conflict}, 'the stream has events that do not continue the journal')
  return {restored: continuing.length, ledger: after}

  async function readAhead(): Promise<readonly LedgerEvent[]> {
    const connection = await link.connected()
    const last = await lastEventOf(connection, subjects, address)
    const ahead: LedgerEvent[] = []
    // After a deletion the server may not find a last one, though there are others (2.9).
    if (last && (last.event.uid !== uid || last.event.sequence <= journal.latestSequence())) return ahead
    for await (const {event} of readEvents(connection, subjects, {
      filter: address,
      follow: false,
      reader: `supervisor-${address.namespace}-${address.id}`,
    })) {
      if (event.uid === uid && event.sequence > journal.latestSequence()) ahead.push(event)
    }
    return ahead
  }
}

/** Of a journal, as an event tells it. */
export function toMended({tornBytes}: JournalRepair, restored: number): Pick<EventData<'supervisor.adopted'>, 'tornBytes' | 'takenBack'> {
  return {...(restored > 0 && {takenBack: restored}), ...(tornBytes > 0 && {tornBytes})}
}

export interface TakeBackPlan {
  readonly continuing: readonly LedgerEvent[]
  readonly ledger: Ledger
  /** Why those after them do not continue the journal; undefined when there are none. */
  readonly conflict: string | undefined
}

/** @param ahead of the stream, in its order, with sequences above those of the journal */
export function planTakeBack(journaled: Ledger, ahead: readonly LedgerEvent[]): TakeBackPlan {
  let ledger = journaled
  const continuing: LedgerEvent[] = []
  for (const event of ahead) {
    // A repetition.
    if (event.sequence <= (ledger.latest?.sequence ?? 0)) continue
    try {
      ;({ledger} = applyEvent(ledger, event))
    } catch (error) {
      return {continuing, ledger, conflict: error instanceof Error ? error.message : String(error)}
    }
    continuing.push(event)
  }
  return {continuing, ledger, conflict: undefined}
}
