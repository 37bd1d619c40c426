/** A create that is asked again, since its answer was lost: perhaps with the coordinator that was to give it. */
import {toContainerView} from '../../../machines/views/container-view.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {findFormerOutcome} from '../../../machines/ledger/former-outcome.ts'
import type {ContainerView} from '../../../machines/views/view.ts'
import {readJournalFile} from '../../journal/file-journal.ts'
import type {Clock} from '../../kernel/clock.ts'
import {fromFailure, TallyError} from '../../kernel/errors.ts'
import {isMissing} from '../../kernel/files.ts'
import type {Asked} from '../../messaging/services.ts'
import {type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {isHeld} from '../directories/containers.ts'
import type {ContainerName} from '../../layout/container-name.ts'

const pollMs = 50
/** One whose supervisors die again and again is never settled. */
const patienceMs = 60_000

/** Creates that this coordinator is at, by who asked for them: under load the next asking comes before the journal has anything. */
export interface Creates {
  /** Begins it, or joins the one that this asks for again. */
  join(name: ContainerName, origin: Asked, begin: () => Promise<unknown>): Promise<unknown>
}

export function createCreates(): Creates {
  const underWay = new Map<string, Promise<unknown>>()
  return {
    join: async ({namespace, id}, {actor, correlationId, isAgain}, begin) => {
      const key = JSON.stringify([namespace, id, actor, correlationId])
      const former = underWay.get(key)
      if (former) return await (isAgain ? former : begin())
      const creating = begin()
      underWay.set(key, creating)
      try {
        return await creating
      } finally {
        underWay.delete(key)
      }
    },
  }
}

/**
 * Resolves when the container of that request has been made, whoever looks after it by then.
 * @returns undefined when it was never begun, or has failed and gone: it can be asked for anew
 * @throws TallyError that of its failure; JOURNAL_DAMAGED; TIMED_OUT
 */
export async function findFormerCreate(
  directories: Directories,
  name: ContainerName,
  {origin, clock}: {readonly origin: Asked; readonly clock: Pick<Clock, 'sleep'>},
): Promise<ContainerView | undefined> {
  const {journal} = toContainerLayout(directories, name, '')
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pollMs) {
    const events = readIfThere(journal)
    const former = findFormerOutcome(events, {...origin, type: 'create', exec: undefined})
    if (former?.outcome.type === 'failed') throw fromFailure(former.outcome.error)
    if (former?.outcome.type === 'done') return toContainerView(former.ledger)
    // A coordinator that is dead has given it to a supervisor, which is about to begin. What has begun is another's.
    if (!former && (events.length > 0 || !isHeld(journal))) return undefined
    await clock.sleep(pollMs)
  }
  const details = {...name, timeoutMs: patienceMs}
  throw new TallyError('TIMED_OUT', `${name.namespace}/${name.id} has been neither made nor given up within ${patienceMs} ms`, {details})
}

function readIfThere(journal: string): readonly LedgerEvent[] {
  try {
    return [...readJournalFile(journal)]
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
