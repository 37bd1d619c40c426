import {describe, expect, it} from 'vitest'
import {toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'
import {isSettled, makeLoop, origin} from './loop-fixture.ts'

describe('while the journal cannot be written', () => {
  it('a command is rejected, and nothing of it happens', async () => {
    const {loop, journal, effects, told, clock} = makeLoop(histories.created)
    journal.setFull(true)
    await expect(loop.submit({type: 'start'}, origin)).rejects.toMatchObject({code: 'JOURNAL_WRITE_FAILED', kind: 'unavailable'})
    expect(effects).toEqual([])
    expect(told).toEqual([])
    expect(toTopLevelState(loop.ledger)).toBe('created')

    journal.setFull(false)
    clock.advance(60_000)
    expect(journal.latestSequence()).toBe(2)
    void loop.submit({type: 'start'}, origin)
    expect(toTopLevelState(loop.ledger)).toBe('starting')
  })

  it('an observation waits, and is journaled when there is space again', async () => {
    const {loop, journal, effects, clock, types} = makeLoop(histories.running)
    journal.setFull(true)
    const exit = loop.observe(happen.exited, origin)
    clock.advance(10_000)
    expect(await isSettled(exit)).toBe(false)
    expect(toTopLevelState(loop.ledger)).toBe('running')
    expect(effects).toEqual([])

    journal.setFull(false)
    clock.advance(1_000)
    expect((await exit)?.type).toBe('container.exited')
    expect(types().length).toBe(histories.stopped.length)
    expect(clock.armed).toBe(0)
  })

  it('the outcome of an effect waits as well, and its command with it', async () => {
    const {loop, journal, clock, finish} = makeLoop(histories.created)
    const start = loop.submit({type: 'start'}, origin)
    journal.setFull(true)
    await finish('runtime.start', happen.started)
    expect(await isSettled(start)).toBe(false)
    journal.setFull(false)
    clock.advance(1_000)
    expect(toTopLevelState(await start)).toBe('running')
  })

  it('a request is rejected after 5 s when its outcome cannot be written, and a retry gets the outcome when it is', async () => {
    const {loop, journal, clock, finish} = makeLoop(histories.created)
    const start = loop.submit({type: 'start'}, origin)
    journal.setFull(true)
    await finish('runtime.start', happen.started)
    for (let second = 0; second < 6; second += 1) clock.advance(1_000)
    await expect(start).rejects.toMatchObject({code: 'JOURNAL_WRITE_FAILED', message: expect.stringContaining('it is carried out')})
    const again = loop.submit({type: 'start'}, {...origin, isRetry: true})
    expect(await isSettled(again)).toBe(false)
    journal.setFull(false)
    clock.advance(1_000)
    expect(toTopLevelState(await again)).toBe('running')
  })

  it('two observations are tried again no more often than one is', async () => {
    const {loop, journal, clock} = makeLoop([...histories.running, happen.killRequested])
    journal.setFull(true)
    void loop.observe(happen.signalled, origin)
    void loop.observe(happen.exited, origin)
    clock.advance(2_500)
    expect(clock.armed).toBeLessThanOrEqual(2)
  })

  it('observations keep their order', async () => {
    const {loop, journal, clock, types} = makeLoop([...histories.running, happen.killRequested])
    journal.setFull(true)
    const both = [loop.observe(happen.signalled, origin), loop.observe(happen.exited, origin)]
    journal.setFull(false)
    clock.advance(1_000)
    await Promise.all(both)
    expect(types().slice(-2)).toEqual(['container.signalled', 'container.exited'])
  })
})
