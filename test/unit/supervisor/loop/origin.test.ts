import {describe, expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {foldEvents} from '../../../../machines/ledger/ledger.ts'
import {type End, toObservedOrigin} from '../../../../src/supervisor/loop/origin.ts'
import {happen, toHistory} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'

const own = {actor: 'supervisor', correlationId: 'u1'}

/** The last of the drafts has a correlation id of its own. */
function originOf(drafts: readonly Draft[], end: End) {
  const history: readonly LedgerEvent[] = toHistory(drafts).map((event, index, all) =>
    index === all.length - 1 ? {...event, correlationId: 'mine'} : event,
  )
  return toObservedOrigin(end, foldEvents(history), 'u1')
}

const asked = (drafts: readonly Draft[]) => ({actor: 'supervisor', correlationId: 'mine', causationId: `u1:${drafts.length}`})
const killedBy = (signal: 'SIGHUP' | 'SIGKILL'): End => ({...happen.exited, data: {...happen.exited.data, exit: {type: 'signal', signal}}})

describe('the exit of init', () => {
  it('that nobody asked for belongs to nobody, whatever came last', () => {
    expect(originOf(histories.running, happen.exited)).toEqual(own)
    expect(originOf([...histories.running, happen.pauseRequested], happen.exited)).toEqual(own)
    expect(originOf([...histories.running, happen.killRequested], happen.exited)).toEqual(own)
  })

  it.each<[string, readonly Draft[], End]>([
    ['a stop, also with a status of its own', [...histories.running, happen.stopRequested], happen.exited],
    ['SIGKILL', [...histories.running, happen.fatalKillRequested], killedBy('SIGKILL')],
    ['a signal that it died of', [...histories.running, happen.killRequested], killedBy('SIGHUP')],
    ['a forced delete', [...histories.running, happen.forcedDelete], killedBy('SIGKILL')],
  ])('belongs to the request for %s', (_, drafts, end) => {
    expect(originOf(drafts, end)).toEqual(asked(drafts))
  })

  it('belongs to nobody when the container was made again since it was asked for', () => {
    const again = [...histories.running, happen.killRequested, happen.exited].map((draft, index) =>
      index === 0 ? happen.restartingRequested : draft,
    )
    const drafts = [...again, happen.restartScheduled, happen.restartDue, happen.created]
    expect(originOf(drafts, killedBy('SIGHUP'))).toEqual(own)
  })
})
