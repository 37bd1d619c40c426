import {describe, expect, it} from 'vitest'
import type {CommandType} from '../../../../machines/commands/commands.ts'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import type {EventType} from '../../../../machines/ledger/events.ts'
import {foldEvents} from '../../../../machines/ledger/ledger.ts'
import {type Outcome, toOutcome} from '../../../../machines/ledger/outcome.ts'
import {happen, toHistory} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'

type Asked = CommandType | 'wait'

/** The outcome after each event of a history, by event type. */
function outcomes(command: Asked, intentId: string | undefined, drafts: readonly Draft[]): readonly (readonly [EventType, Outcome])[] {
  const history = toHistory(drafts)
  return history.map((event, index) => [event.type, toOutcome(command, {intentId}, event, foldEvents(history.slice(0, index + 1)))])
}

function settledBy(command: Asked, drafts: readonly Draft[]): readonly EventType[] {
  return outcomes(command, undefined, drafts).flatMap(([type, outcome]) => (outcome.type === 'pending' ? [] : [type]))
}

const {error} = happen.createFailed.data

describe('the outcome of a command', () => {
  it.each<[Asked, EventType]>([
    ['create', 'container.created'],
    ['start', 'container.started'],
    ['stop', 'container.exited'],
    ['wait', 'container.exited'],
    ['delete', 'container.deleted'],
  ])('%s is settled in a whole life first by %s', (command, type) => {
    const [first] = outcomes(command, undefined, histories.deleted).filter(([, outcome]) => outcome.type !== 'pending')
    expect(first).toEqual([type, {type: 'done'}])
  })

  it('of a failed create is its error, once its remains are deleted', () => {
    const drafts = [...histories.failed, happen.deleteRequested, happen.deleted]
    expect(outcomes('create', undefined, drafts)).toEqual([
      ['container.create-requested', {type: 'pending'}],
      ['container.create-failed', {type: 'pending'}],
      ['container.delete-requested', {type: 'pending'}],
      ['container.deleted', {type: 'failed', error}],
    ])
  })

  it('of a failed create whose remains cannot be deleted is the error of the delete', () => {
    expect(outcomes('create', undefined, [...histories.failed, happen.deleteRequested, happen.deleteFailed]).at(-1)).toEqual([
      'container.delete-failed',
      {type: 'failed', error: happen.deleteFailed.data.error},
    ])
  })

  it('of a failed start is its error', () => {
    expect(outcomes('start', undefined, [...histories.starting, happen.startFailed]).at(-1)).toEqual([
      'container.start-failed',
      {type: 'failed', error: happen.startFailed.data.error},
    ])
  })

  it('of an update is done or its error', () => {
    const asked = [...histories.running, happen.updateRequested]
    expect(outcomes('update', undefined, [...asked, happen.updated]).at(-1)).toEqual(['container.updated', {type: 'done'}])
    expect(outcomes('update', undefined, [...asked, happen.updateFailed]).at(-1)).toEqual([
      'container.update-failed',
      {type: 'failed', error: happen.updateFailed.data.error},
    ])
  })

  it('of a failed delete is its error', () => {
    expect(outcomes('delete', undefined, [...histories.deleting, happen.deleteFailed]).at(-1)).toEqual([
      'container.delete-failed',
      {type: 'failed', error: happen.deleteFailed.data.error},
    ])
  })

  it('of a stop is not settled by the deadline or the signal', () => {
    const drafts = [...histories.running, happen.stopRequested, happen.signalled, happen.stopTimedOut, happen.exited]
    expect(settledBy('stop', drafts)).toEqual(['container.exited'])
  })
})

describe('the outcome of a kill', () => {
  const asked = [...histories.running, happen.killRequested]
  const intentId = `u1:${asked.length}`
  const killFailed: Draft = {type: 'container.kill-failed', data: {signal: 'SIGHUP', error}}

  function outcomeOf(draft: Draft, causationId: string): Outcome | undefined {
    const [event] = toHistory([draft], asked.length + 1)
    return event && toOutcome('kill', {intentId}, {...event, causationId}, foldEvents(toHistory(asked)))
  }

  it('is the event that its own request caused', () => {
    expect(outcomeOf(happen.signalled, intentId)).toEqual({type: 'done'})
    expect(outcomeOf(killFailed, intentId)).toEqual({type: 'failed', error})
  })

  it('is neither that of another kill nor the exit', () => {
    expect(outcomeOf(happen.signalled, 'u1:1')).toEqual({type: 'pending'})
    expect(outcomeOf(killFailed, 'u1:1')).toEqual({type: 'pending'})
    expect(outcomeOf(happen.exited, intentId)).toEqual({type: 'pending'})
  })
})
