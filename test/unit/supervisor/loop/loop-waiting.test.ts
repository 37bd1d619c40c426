import {describe, expect, it} from 'vitest'
import {toTopLevelState} from '../../../../machines/ledger/ledger.ts'
import {happen} from '../../../support/given.ts'
import {histories, killing} from '../../support/histories.ts'
import {isSettled, makeLoop, origin} from './loop-fixture.ts'

describe('a command that is not accepted', () => {
  it.each([
    [
      'start',
      'running',
      histories.running,
      ['kill', 'stop', 'pause', 'checkpoint', 'update'],
      'cannot start a container that is running; legal now: kill, stop, pause, checkpoint, update',
    ],
    ['start', 'stopped', histories.stopped, ['delete'], 'cannot start a container that is stopped; legal now: delete'],
    ['start', 'deleted', histories.deleted, [], 'cannot start a container that is deleted; nothing is legal now'],
  ] as const)('names the state and what is legal: %s, %s', async (command, state, history, legal, message) => {
    const {loop, types} = makeLoop(history)
    await expect(loop.submit({type: command}, origin)).rejects.toMatchObject({
      code: 'ILLEGAL_COMMAND',
      message,
      details: {command, state, legal},
    })
    expect(types().length).toBe(history.length)
  })

  it('because the container has stopped already is answered at once when it is a stop', async () => {
    const {loop, types, effects} = makeLoop(histories.stopped)
    expect(toTopLevelState(await loop.submit({type: 'stop', signal: 'SIGTERM', graceMs: 1}, origin))).toBe('stopped')
    expect(types().length).toBe(histories.stopped.length)
    expect(effects).toEqual([])
  })
})

describe('a command while something is in flight', () => {
  it('waits for the outcome, and is then taken', async () => {
    const {loop, types, finish} = makeLoop(histories.created)
    const start = loop.submit({type: 'start'}, origin)
    const stop = loop.submit({type: 'stop', signal: 'SIGTERM', graceMs: 1_000}, origin)
    expect(types().at(-1)).toBe('container.start-requested')
    await finish('runtime.start', happen.started)
    await start
    expect(types().slice(-2)).toEqual(['container.started', 'container.stop-requested'])
    await loop.observe(happen.exited, origin)
    expect(toTopLevelState(await stop)).toBe('stopped')
  })

  it('is rejected after an outcome that makes it illegal', async () => {
    const {loop, finish} = makeLoop(histories.deleting)
    const start = expect(loop.submit({type: 'start'}, origin)).rejects.toMatchObject({code: 'ILLEGAL_COMMAND', details: {state: 'deleted'}})
    await finishDelete()
    await start

    async function finishDelete() {
      loop.resume([{type: 'runtime.delete'}])
      await finish('runtime.delete', happen.deleted)
    }
  })

  it('joins what is asked for already, and both are answered', async () => {
    const {loop, types, finish} = makeLoop(histories.stopped)
    const first = loop.submit({type: 'delete', force: false}, origin)
    const second = loop.submit({type: 'delete', force: true}, origin)
    await finish('runtime.delete', happen.deleted)
    expect((await Promise.all([first, second])).map(toTopLevelState)).toEqual(['deleted', 'deleted'])
    expect(types().filter((type) => type === 'container.delete-requested').length).toBe(1)
  })

  it('joins the killing when it is a stop', async () => {
    const {loop, types} = makeLoop(killing)
    const stop = loop.submit({type: 'stop', signal: 'SIGTERM', graceMs: 1}, origin)
    expect(types().length).toBe(killing.length)
    expect(await isSettled(stop)).toBe(false)
    await loop.observe(happen.exited, origin)
    expect(toTopLevelState(await stop)).toBe('stopped')
  })
})
