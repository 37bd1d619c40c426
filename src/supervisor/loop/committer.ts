/** The only writer of the ledger: journals an event, folds it, and only then reports it and begins its effects. */
import type {Draft} from '../../../machines/ledger/draft.ts'
import type {Effect} from '../../../machines/charts/effects.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {type ContainerAddress, toSource} from '../../../machines/ledger/ids.ts'
import {applyEvent, type Ledger} from '../../../machines/ledger/ledger.ts'
import type {Journal} from '../../journal/journal.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {Origin} from './origin.ts'

export interface CommitterDependencies {
  readonly journal: Journal
  readonly clock: Pick<Clock, 'now'>
  readonly logger: Logger
  /** Called when the event is journaled and folded, before its effects begin. */
  readonly onCommitted: (event: LedgerEvent, ledger: Ledger) => void
  readonly begin: (effect: Effect, cause: LedgerEvent) => void
}

export interface CommitterOptions {
  readonly address: ContainerAddress
  readonly uid: string
  /** Folded from the journal. */
  readonly ledger: Ledger
}

export interface Committer {
  readonly ledger: Ledger
  /**
   * @param onJournaled called right after the append
   * @throws TallyError JOURNAL_WRITE_FAILED: nothing of it has happened
   */
  commit(draft: Draft, origin: Origin, onJournaled?: (event: LedgerEvent) => void): LedgerEvent
  /** Resolves when what is in the journal now is durable. */
  durable(): Promise<void>
}

/** Made durable against a crash of the host; the rest need not be, since that ends the containers anyway. */
const syncedEvents: ReadonlySet<LedgerEvent['type']> = new Set(['container.create-requested', 'container.exited', 'container.deleted'])

export function createCommitter(
  {journal, clock, logger, onCommitted, begin}: CommitterDependencies,
  {address, uid, ledger: folded}: CommitterOptions,
): Committer {
  let ledger = folded
  let durable: Promise<void> = Promise.resolve()
  return {
    get ledger() {
      return ledger
    },
    commit: (draft, {actor, correlationId, causationId}, onJournaled) => {
      const event: LedgerEvent = {
        ...draft,
        time: new Date(clock.now()).toISOString(),
        sequence: (ledger.latest?.sequence ?? 0) + 1,
        uid,
        source: toSource(address),
        actor,
        correlationId,
        causationId,
      }
      const next = applyEvent(ledger, event)
      journal.append(event)
      ledger = next.ledger
      if (syncedEvents.has(event.type))
        durable = durable.then(() => journal.sync()).catch((error: unknown) => logger.error({err: error}, 'fdatasync failed'))
      onJournaled?.(event)
      onCommitted(event, ledger)
      for (const effect of next.effects) begin(effect, event)
      return event
    },
    durable: () => durable,
  }
}
