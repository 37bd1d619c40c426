/** Restores events that the stream has and the journal lacks: a power cut loses what was written and not yet on the disk. */
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

export interface RestoreOptions {
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

/** Without a boot in between the journal has all that was appended, so NATS is not worth a long wait. */
const patienceMs = {sameBoot: 1_000, otherBoot: 10_000} as const

export interface Restored {
  /** How many were written back. */
  readonly restored: number
  /** With them. */
  readonly ledger: Ledger
}

/**
 * Appends them to the journal, as far as they continue it. The outbox removes the others from the stream, and reports that.
 * @throws TallyError JOURNAL_WRITE_FAILED
 */
export async function restoreFromStream({journal, ledger, link, subjects, address, uid, clock, logger}: RestoreOptions): Promise<Restored> {
  const {init} = ledger.snapshot.context
  const waitMs = init?.bootId === readBootId() ? patienceMs.sameBoot : patienceMs.otherBoot
  const late = clock.sleep(waitMs)
  const ahead = await Promise.race([readAhead(), late]).catch((error: unknown) => logger.warn({err: error}, 'cannot ask the stream'))
  if (!ahead) {
    logger.warn({waitMs}, 'no answer from NATS in time whether the journal has lost events: continuing without')
    return {restored: 0, ledger}
  }
  const {continuing, conflict, ledger: after} = planRestore(ledger, ahead)
  for (const event of continuing) journal.append(event)
  if (continuing.length > 0) {
    await journal.sync()
    logger.warn({from: continuing[0]?.sequence, count: continuing.length}, 'the journal lacked events that the stream has: restored them')
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

/** What was mended of a journal, as fields of an event. */
export function toMended({tornBytes}: JournalRepair, restored: number): Pick<EventData<'supervisor.adopted'>, 'tornBytes' | 'takenBack'> {
  return {...(restored > 0 && {takenBack: restored}), ...(tornBytes > 0 && {tornBytes})}
}

export interface RestorePlan {
  readonly continuing: readonly LedgerEvent[]
  readonly ledger: Ledger
  /** Why those after them do not continue the journal; undefined when there are none. */
  readonly conflict: string | undefined
}

/** @param ahead of the stream, in its order, with sequences above those of the journal */
export function planRestore(journaled: Ledger, ahead: readonly LedgerEvent[]): RestorePlan {
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
