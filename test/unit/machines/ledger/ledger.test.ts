import {describe, expect, it} from 'vitest'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {isPossible} from '../../../../machines/commands/decide.ts'
import {topLevelStates} from '../../../../machines/charts/states.ts'
import {emptyLedger, foldEvents, LedgerError, toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {happen, toHistory} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'

const life = toHistory(histories.deleted)

/** The error of a fold. */
function refusal(events: readonly LedgerEvent[]): LedgerError {
  try {
    foldEvents(events)
  } catch (error) {
    if (error instanceof LedgerError) return error
    throw error
  }
  throw new Error('it folds')
}

describe('folding', () => {
  it.each(topLevelStates)('a history leads to %s', (state) => {
    expect(toTopLevelState(foldEvents(toHistory(histories[state])))).toBe(state)
  })

  it('records the last event and when the state was entered', () => {
    const history = toHistory([...histories.running, happen.killRequested, happen.signalled])
    const ledger = foldEvents(history)
    expect(ledger.latest).toEqual(history.at(-1))
    expect(ledger.since).toBe('2026-01-02T03:04:08.000Z')
  })

  it('continues from a ledger', () => {
    const head = foldEvents(life.slice(0, 4))
    expect(foldEvents(life.slice(4), head)).toEqual(foldEvents(life))
  })

  it('of no events returns the empty ledger', () => {
    expect(foldEvents([])).toBe(emptyLedger)
    expect(toTopLevelState(emptyLedger)).toBe('absent')
    expect(emptyLedger.since).toBeUndefined()
  })
})

describe('folding rejects', () => {
  it.each(life.slice(0, -1).map((event, index) => [event.sequence, index] as const))('a history without event %i', (_, index) => {
    const {message, event} = refusal(life.toSpliced(index, 1))
    expect(message).toMatch(new RegExp(`^expected sequence ${index + 1}, got ${index + 2} `))
    expect(event).toBe(life[index + 1])
  })

  it('an event twice', () => {
    expect(refusal([...life.slice(0, 2), ...life.slice(1)]).message).toBe('expected sequence 3, got 2 (container.created)')
  })

  it('an event of another container of the same id', () => {
    const history = life.map((event) => (event.sequence === 3 ? {...event, uid: 'u2'} : event))
    expect(refusal(history).message).toBe('expected an event of u1, got one of u2')
  })

  it('an event that is impossible in the state, and names both', () => {
    const error = refusal(toHistory([...histories.created, happen.started]))
    expect(error.message).toBe('container.started is impossible in state created')
    expect(error.event).toMatchObject({type: 'container.started', sequence: 3})
    expect(error.name).toBe('LedgerError')
  })

  it('two exits', () => {
    expect(refusal(toHistory([...histories.stopped, happen.exited])).message).toBe('container.exited is impossible in state stopped')
  })

  it('a second exit while the container is deleted', () => {
    expect(refusal(toHistory([...histories.deleting, happen.exited])).message).toBe('container.exited is impossible in state deleting')
    expect(refusal(toHistory([...histories.running, happen.forcedDelete, happen.exited, happen.exited])).message).toBe(
      'container.exited is impossible in state deleting',
    )
  })

  it('any event after deleted', () => {
    const deleted = foldEvents(life)
    const adopted = {type: 'supervisor.adopted', data: {supervisorPid: 1, found: ''}} as const
    const possible = [...Object.values(happen), adopted].filter((draft) => isPossible(deleted, draft))
    expect(possible.map(({type}) => type)).toEqual([])
  })
})
