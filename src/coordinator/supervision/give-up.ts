import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {applyEvent, foldEvents} from '../../../machines/ledger/ledger.ts'
import {openFileJournal} from '../../journal/file-journal.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {NatsLink} from '../../messaging/link.ts'
import {createOutbox} from '../../messaging/outbox.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import {type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import type {ContainerIdentity} from '../directories/containers.ts'

export interface GiveUpOptions {
  readonly node: string
  readonly directories: Directories
  readonly subjects: Subjects
  readonly openLink: () => NatsLink
  readonly clock: Clock
  readonly logger: Logger
}

const publicationPatienceMs = 60_000

/**
 * Writes into the ledger of a container that nobody will supervise it, in place of the supervisor that it lacks, and publishes that.
 * @throws TallyError JOURNAL_LOCKED, JOURNAL_DAMAGED, JOURNAL_WRITE_FAILED
 */
export async function recordGivenUp(
  {namespace, id, uid}: ContainerIdentity,
  data: {readonly deaths: number; readonly periodMs: number},
  {node, directories, subjects, openLink, clock, logger}: GiveUpOptions,
): Promise<void> {
  const address = {node, namespace, id}
  using journal = openFileJournal(toContainerLayout(directories, address, uid).journal)
  const ledger = foldEvents(journal.read())
  const {latest} = ledger
  if (!latest) return
  const event: LedgerEvent = {
    type: 'supervisor.gave-up',
    data,
    time: new Date(clock.now()).toISOString(),
    sequence: latest.sequence + 1,
    uid,
    source: latest.source,
    actor: 'coordinator',
    correlationId: latest.correlationId,
    causationId: undefined,
  }
  applyEvent(ledger, event)
  journal.append(event)
  await using link = openLink()
  const outbox = createOutbox({source: journal, link, subjects, address, uid, clock, logger, fresh: false})
  // After that the next supervisor of the container publishes it.
  await outbox.whenAcknowledged(event.sequence, publicationPatienceMs)
}
