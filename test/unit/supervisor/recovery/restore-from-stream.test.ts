import {describe, expect, it} from 'vitest'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {foldEvents} from '../../../../machines/ledger/ledger.ts'
import {planRestore} from '../../../../src/supervisor/recovery/restore-from-stream.ts'
import {happen, toHistory} from '../../../support/given.ts'

const life = toHistory([happen.createRequested, happen.created, happen.startRequested, happen.started, happen.exited])

/** For a journal with the first so many events. */
function plan(count: number, ahead: readonly LedgerEvent[]) {
  const {continuing, conflict, ledger} = planRestore(foldEvents(life.slice(0, count)), ahead)
  expect(ledger).toEqual(foldEvents([...life.slice(0, count), ...continuing]))
  return {continuing, conflict}
}

describe('what is restored to a journal from the stream', () => {
  it('is everything that continues it', () => {
    expect(plan(2, life.slice(2))).toEqual({continuing: life.slice(2), conflict: undefined})
    expect(plan(5, [])).toEqual({continuing: [], conflict: undefined})
  })

  it('is taken once, though the stream has it twice', () => {
    const [third, ...rest] = life.slice(2)
    expect(plan(2, third ? [third, third, ...rest] : []).continuing).toEqual(life.slice(2))
  })

  it('ends before a gap, and says so', () => {
    expect(plan(2, [...life.slice(2, 3), ...life.slice(4)])).toEqual({
      continuing: life.slice(2, 3),
      conflict: 'expected sequence 4, got 5 (container.exited)',
    })
  })

  it('ends before what is impossible, and says so', () => {
    const impossible = toHistory([happen.resumed], 3)
    expect(plan(2, impossible)).toEqual({
      continuing: [],
      conflict: 'container.resumed is impossible in state created',
    })
  })
})
