import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {isPossible} from '../../../../machines/commands/decide.ts'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {applyEvent, emptyLedger, foldEvents, type Ledger, toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {toContainerView} from '../../../../machines/views/container-view.ts'
import {toHistory} from '../../../support/given.ts'
import {anyDraft, arbitraryDraft} from '../../support/arbitrary-event.ts'

interface Told {
  readonly history: readonly LedgerEvent[]
  readonly ledger: Ledger
}

/** The drafts that the chart accepts, one after the other. */
function tell(drafts: readonly Draft[]): Told {
  return drafts.reduce<Told>(
    ({history, ledger}, draft) => {
      const [event] = isPossible(ledger, draft) ? toHistory([draft], history.length + 1) : []
      return event ? {history: [...history, event], ledger: applyEvent(ledger, event).ledger} : {history, ledger}
    },
    {history: [], ledger: emptyLedger},
  )
}

const begun = fc
  .tuple(arbitraryDraft('container.create-requested'), fc.array(anyDraft, {maxLength: 60}))
  .map(([first, rest]) => [first, ...rest])

describe('any sequence of events that the chart accepts', () => {
  it('folds to the same state as when applied one by one', () => {
    fc.assert(
      fc.property(begun, (drafts) => {
        const {history, ledger} = tell(drafts)
        expect(foldEvents(history)).toEqual(ledger)
        expect(ledger.latest).toEqual(history.at(-1))
      }),
    )
  })

  it('has a view after every event', () => {
    fc.assert(
      fc.property(begun, (drafts) => {
        const {history, ledger} = tell(drafts)
        expect(toContainerView(ledger)).toMatchObject({state: toTopLevelState(ledger), eventCount: history.length})
      }),
    )
  })

  it('has at most one exit, one created and one deleted', () => {
    fc.assert(
      fc.property(begun, (drafts) => {
        const {history} = tell(drafts)
        for (const type of ['container.exited', 'container.created', 'container.deleted', 'container.started'] as const) {
          expect(history.filter((event) => event.type === type).length).toBeLessThanOrEqual(1)
        }
      }),
      {numRuns: 200},
    )
  })
})
