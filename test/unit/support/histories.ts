import type {Draft} from '../../../machines/ledger/draft.ts'
import type {TopLevelState} from '../../../machines/charts/states.ts'
import {happen} from '../../support/given.ts'

const created: readonly Draft[] = [happen.createRequested, happen.created]
const running: readonly Draft[] = [...created, happen.startRequested, happen.started]
const stopped: readonly Draft[] = [...running, happen.exited]

/** A usual history for every top-level state. */
export const histories: Readonly<Record<TopLevelState, readonly Draft[]>> = {
  absent: [],
  creating: [happen.createRequested],
  created,
  starting: [...created, happen.startRequested],
  running,
  stopped,
  waiting: [happen.restartingRequested, ...stopped.slice(1), happen.restartScheduled],
  failed: [happen.createRequested, happen.createFailed],
  deleting: [...stopped, happen.deleteRequested],
  deleted: [...stopped, happen.deleteRequested, happen.deleted],
}

export const stopping = [...running, happen.stopRequested]
export const killing = [...stopping, happen.stopTimedOut]
