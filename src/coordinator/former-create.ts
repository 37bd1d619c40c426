/** A create that is asked again, since its answer was lost: perhaps with the coordinator that was to give it. */
import {toContainerView} from '../../machines/container-view.ts'
import type {LedgerEvent} from '../../machines/events.ts'
import {findFormerOutcome} from '../../machines/former-outcome.ts'
import type {ContainerView} from '../../machines/view.ts'
import {readJournalFile} from '../journal/file-journal.ts'
import type {Clock} from '../kernel/clock.ts'
import {fromFailure} from '../kernel/errors.ts'
import type {Asked} from '../messaging/services.ts'
import {type Directories, toContainerLayout} from '../supervisor/layout.ts'
import type {ContainerName} from './containers.ts'

const pollMs = 50

/**
 * Resolves when the container of that request has been made, whoever looks after it by then.
 * @returns undefined when it was never begun, or has failed and gone: it can be asked for anew
 * @throws TallyError that of its failure; JOURNAL_DAMAGED
 */
export async function findFormerCreate(
  directories: Directories,
  name: ContainerName,
  {origin, clock}: {readonly origin: Asked; readonly clock: Pick<Clock, 'sleep'>},
): Promise<ContainerView | undefined> {
  const {journal} = toContainerLayout(directories, name, '')
  for (;;) {
    const former = findFormerOutcome(readIfThere(journal), {...origin, type: 'create', exec: undefined})
    if (former?.outcome.type === 'failed') throw fromFailure(former.outcome.error)
    if (!former || former.outcome.type === 'done') return former && toContainerView(former.ledger)
    await clock.sleep(pollMs)
  }
}

function readIfThere(journal: string): readonly LedgerEvent[] {
  try {
    return [...readJournalFile(journal)]
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
