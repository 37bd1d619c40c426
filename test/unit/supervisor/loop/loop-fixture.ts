/** A loop over an in-memory journal and a clock that stands still; effects end when the test says so. */
import type {Draft} from '../../../../machines/ledger/draft.ts'
import type {Effect, EffectType} from '../../../../machines/charts/effects.ts'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {foldEvents} from '../../../../machines/ledger/ledger.ts'
import {createInbox} from '../../../../src/supervisor/loop/inbox.ts'
import {createLoop, type Loop} from '../../../../src/supervisor/loop/loop.ts'
import {createFakeClock, type FakeClock} from '../../../support/fake-clock.ts'
import {epoch, toHistory} from '../../../support/given.ts'
import {createMemoryJournal, type MemoryJournal} from '../../../support/memory-journal.ts'

export interface RunningEffect {
  readonly effect: Effect
  readonly cause: LedgerEvent
  /** How many events were in the journal when it began. */
  readonly journaled: number
  readonly end: (draft: Draft | undefined) => void
}

export interface LoopFixture {
  readonly loop: Loop
  readonly journal: MemoryJournal
  readonly clock: FakeClock
  /** Every effect that was begun. */
  readonly effects: readonly RunningEffect[]
  readonly told: readonly LedgerEvent[]
  readonly types: () => readonly string[]
  /** Ends the latest effect of a type, and lets the loop see to it. */
  readonly finish: (type: EffectType, draft?: Draft) => Promise<void>
}

export const origin = {actor: 'test', correlationId: 'c1'} as const

/** @param journal that of a supervisor before this one */
export function makeLoop(history: readonly Draft[] = [], journal = createMemoryJournal(toHistory(history))): LoopFixture {
  const clock = createFakeClock(epoch)
  const effects: RunningEffect[] = []
  const told: LedgerEvent[] = []
  const loop = createLoop(
    {
      journal,
      clock,
      logger: silentLogger,
      inbox: createInbox(),
      runEffect: (effect, {cause}) =>
        new Promise((end) => {
          effects.push({effect, cause, journaled: journal.events.length, end})
        }),
      onEvent: (event) => told.push(event),
    },
    {address: {node: 'node', namespace: 'default', id: 'web'}, uid: 'u1', ledger: foldEvents(journal.events)},
  )
  return {
    loop,
    journal,
    clock,
    effects,
    told,
    types: () => journal.events.map(({type}) => type),
    finish: async (type, draft) => {
      const running = effects.findLast(({effect}) => effect.type === type)
      if (!running) throw new Error(`no ${type} was begun`)
      running.end(draft)
      await settle()
    },
  }
}

/** Lets everything that is resolved be seen; nothing in these tests waits for the machine. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Whether a promise is resolved or rejected once everything that can run has run. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const note = () => {
    settled = true
  }
  promise.then(note, note)
  await settle()
  return settled
}
