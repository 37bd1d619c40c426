import {describe, expect, it} from 'vitest'
import {toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {happen} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'
import {isSettled, makeLoop, origin} from './loop-fixture.ts'

describe('an exit', () => {
  it('that is seen while start is in flight is journaled after started', async () => {
    const {loop, types, finish} = makeLoop(histories.created)
    const start = loop.submit({type: 'start'}, origin)
    const exit = loop.observe(happen.exited, origin)
    expect(await isSettled(exit)).toBe(false)
    await finish('runtime.start', happen.started)
    expect(types().slice(-3)).toEqual(['container.start-requested', 'container.started', 'container.exited'])
    expect((await exit)?.sequence).toBe(5)
    expect(toTopLevelState(await start)).toBe('running')
    expect(toTopLevelState(loop.ledger)).toBe('stopped')
  })

  it('follows a start that failed, too', async () => {
    const {loop, types, finish} = makeLoop(histories.created)
    const refused = expect(loop.submit({type: 'start'}, origin)).rejects.toMatchObject({code: 'RUNC_START_FAILED'})
    void loop.observe(happen.exited, origin)
    await finish('runtime.start', happen.startFailed)
    await refused
    expect(types().slice(-2)).toEqual(['container.start-failed', 'container.exited'])
  })

  it('that comes twice is told of once', async () => {
    const {loop, types} = makeLoop(histories.running)
    await loop.observe(happen.exited, origin)
    expect(await loop.observe(happen.exited, origin)).toBeUndefined()
    expect(types().filter((type) => type === 'container.exited').length).toBe(1)
  })

  it('is waited for, or answered at once when it was before', async () => {
    const {loop} = makeLoop(histories.running)
    const waited = loop.waitForExit()
    expect(await isSettled(waited)).toBe(false)
    await loop.observe(happen.exited, origin)
    expect((await waited).snapshot.context.exited).toEqual(happen.exited.data)
    expect((await loop.waitForExit()).snapshot.context.exited).toEqual(happen.exited.data)
  })
  it('is waited for with a timer that goes with it', async () => {
    const {loop, clock} = makeLoop(histories.running)
    const armed = clock.armed
    const waited = loop.waitForExit(undefined, 60_000)
    expect(clock.armed).toBe(armed + 1)
    await loop.observe(happen.exited, origin)
    await waited
    expect(clock.armed).toBe(armed)
  })
})
