/** A create that is retried because its answer was lost, perhaps with the coordinator that was to give it: the journal has what came of it. */
import {existsSync} from 'node:fs'
import {toContainerView} from '../../../machines/views/container-view.ts'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {type FormerOutcome, findFormerOutcome} from '../../../machines/ledger/former-outcome.ts'
import type {ContainerView} from '../../../machines/views/view.ts'
import {readJournalFile} from '../../journal/file-journal.ts'
import type {Clock} from '../../kernel/clock.ts'
import {fromFailure, TallyError} from '../../kernel/errors.ts'
import {isMissing} from '../../kernel/files.ts'
import type {Asked} from '../../messaging/services.ts'
import {type Directories, toContainerLayout} from '../../layout/container-layout.ts'
import {isJournalLocked} from '../directories/containers.ts'
import type {ContainerName} from '../../layout/container-name.ts'

const pollMs = 50
/** One whose supervisors die again and again is never settled. */
const patienceMs = 60_000
/** The directory of a container whose create failed goes when the stream has its last event. */
const removalPatienceMs = 10_000

export type FormerCreate =
  /** It was never begun, or has failed and is gone: it can be made as a new one. */
  | {readonly type: 'unknown'}
  /** A former coordinator has given it to a supervisor, which is about to write its first event. */
  | {readonly type: 'queued'}
  | {readonly type: 'accepted'}
  | {readonly type: 'settled'; readonly former: FormerOutcome}

/**
 * @param events of the journal under that id
 * @param isLocked whether a supervisor has that journal
 */
export function judgeFormerCreate(
  events: readonly LedgerEvent[],
  {actor, correlationId}: Pick<Asked, 'actor' | 'correlationId'>,
  isLocked: () => boolean,
): FormerCreate {
  const former = findFormerOutcome(events, {actor, correlationId, type: 'create', exec: undefined})
  if (former) return former.outcome.type === 'pending' ? {type: 'accepted'} : {type: 'settled', former}
  // A journal that has begun without it is that of another create.
  return events.length === 0 && isLocked() ? {type: 'queued'} : {type: 'unknown'}
}

/**
 * Resolves when the container of that request has been made, whichever supervisor has it by then.
 * @returns undefined when it is to be made as a new one
 * @throws TallyError that of its failure, once its id is free; JOURNAL_DAMAGED; TIMED_OUT
 */
export async function findFormerCreate(
  directories: Directories,
  name: ContainerName,
  {origin, clock}: {readonly origin: Asked; readonly clock: Pick<Clock, 'sleep'>},
): Promise<ContainerView | undefined> {
  const {journal, stateDir} = toContainerLayout(directories, name, '')
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pollMs) {
    const create = judgeFormerCreate(readIfThere(journal), origin, () => isJournalLocked(journal))
    if (create.type === 'unknown') return undefined
    if (create.type === 'settled') {
      if (create.former.outcome.type === 'failed') await waitUntilGone(stateDir, clock)
      return toAnswer(create.former)
    }
    await clock.sleep(pollMs)
  }
  const details = {...name, timeoutMs: patienceMs}
  throw new TallyError('TIMED_OUT', `${name.namespace}/${name.id} has been neither made nor given up within ${patienceMs} ms`, {details})
}

/** The id is free when the directory is gone. */
async function waitUntilGone(stateDir: string, clock: Pick<Clock, 'sleep'>): Promise<void> {
  for (let waitedMs = 0; existsSync(stateDir) && waitedMs < removalPatienceMs; waitedMs += pollMs) await clock.sleep(pollMs)
}

function toAnswer({outcome, ledger}: FormerOutcome): ContainerView | undefined {
  if (outcome.type === 'failed') throw fromFailure(outcome.error)
  return toContainerView(ledger)
}

function readIfThere(journal: string): readonly LedgerEvent[] {
  try {
    return [...readJournalFile(journal)]
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}
