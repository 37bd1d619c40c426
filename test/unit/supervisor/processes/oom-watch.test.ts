import {describe, expect, it} from 'vitest'
import type {EventData} from '../../../../machines/ledger/events.ts'
import {createOomWatch} from '../../../../src/supervisor/processes/oom-watch.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'
import {epoch} from '../../../support/given.ts'

const init = {pid: 42, startTimeTicks: 1, bootId: 'b'}
const another = {pid: 43, startTimeTicks: 2, bootId: 'b'}
const killedBySigkill = {type: 'signal', signal: 'SIGKILL'} as const

/** @param isWatchable whether the kernel tells of changes */
function open({isWatchable = false, hasLimit = true, isEnding = false} = {}) {
  const kernel = {killed: 0, hasLimit, isEnding, isListenable: true, change: () => {}, lose: () => {}, listeners: 0}
  const reported: EventData<'container.oom'>[] = []
  const clock = createFakeClock(epoch)
  const oom = createOomWatch({
    clock,
    counters: {
      find: ([cgroup]) => (cgroup === undefined ? undefined : {cgroup, file: `${cgroup}/memory.events`, isWatchable}),
      read: () => kernel.killed,
      hasLimit: () => kernel.hasLimit,
      isEnding: () => kernel.isEnding,
      listen: (_, onChange, onLost) => {
        if (!kernel.isListenable) return undefined
        Object.assign(kernel, {change: onChange, lose: onLost, listeners: kernel.listeners + 1})
        return {[Symbol.dispose]: () => void Object.assign(kernel, {listeners: kernel.listeners - 1})}
      },
    },
    observe: async (draft) => {
      if (draft.type === 'container.oom') reported.push(draft.data)
      return undefined
    },
  })
  return {oom, kernel, reported, clock}
}

describe('the OOM watch', () => {
  it('polls once a second where memory is limited, and every ten seconds where it is not', () => {
    for (const [hasLimit, periodMs] of [
      [true, 1_000],
      [false, 10_000],
    ] as const) {
      const {oom, kernel, reported, clock} = open({hasLimit})
      oom.watch(init, ['/g'], 0)
      kernel.killed = 2
      clock.advance(periodMs - 1)
      expect(reported).toEqual([])
      clock.advance(1)
      expect(reported).toEqual([{cgroup: '/g', killed: 2}])
      clock.advance(periodMs)
      expect(reported.length).toBe(1)
    }
  })

  it('looks a moment after a change, once for several', () => {
    const {oom, kernel, reported, clock} = open({isWatchable: true})
    oom.watch(init, ['/g'], 0)
    expect(clock.armed).toBe(0)
    kernel.killed = 1
    kernel.change()
    kernel.killed = 3
    kernel.change()
    expect([clock.armed, reported]).toEqual([1, []])
    clock.advance(20)
    expect(reported).toEqual([{cgroup: '/g', killed: 3}])
    kernel.killed = 4
    kernel.change()
    clock.advance(20)
    expect(reported.at(-1)).toEqual({cgroup: '/g', killed: 4})
  })

  it('polls when it cannot listen, or no longer', () => {
    for (const isListenable of [true, false]) {
      const {oom, kernel, reported, clock} = open({isWatchable: true})
      kernel.isListenable = isListenable
      oom.watch(init, ['/g'], 0)
      if (isListenable) kernel.lose()
      expect([kernel.listeners, clock.armed]).toEqual([0, 1])
      kernel.killed = 1
      clock.advance(1_000)
      expect(reported.length).toBe(1)
    }
  })

  it('leaves neither timer nor listener when it ends, and reports nothing then', () => {
    for (const isWatchable of [true, false]) {
      const {oom, kernel, reported, clock} = open({isWatchable})
      oom.watch(init, ['/g'], 0)
      kernel.change()
      oom.end()
      oom.end()
      kernel.killed = 1
      oom.look()
      clock.advance(60_000)
      expect([clock.armed, kernel.listeners, reported]).toEqual([0, 0, []])
    }
  })

  it('knows after an update of limits what it has reported before, also what is not in the ledger yet', () => {
    const {oom, kernel, reported} = open()
    oom.watch(init, ['/g'], 0)
    kernel.killed = 2
    oom.look()
    oom.watch(init, ['/g'], 0)
    expect(reported.length).toBe(1)
  })

  it('counts from 0 again for a container that is made again, whose groups do as well', () => {
    const {oom, kernel, reported} = open({isEnding: true})
    oom.watch(init, ['/g'], 0)
    kernel.killed = 1
    expect(oom.hasEnded(killedBySigkill)).toBe(true)
    oom.end()
    Object.assign(kernel, {killed: 0, isEnding: false})
    oom.watch(another, ['/g'], 0)
    expect(oom.hasEnded(killedBySigkill)).toBe(false)
    kernel.killed = 1
    oom.look()
    expect(reported).toEqual([
      {cgroup: '/g', killed: 1},
      {cgroup: '/g', killed: 1},
    ])
  })

  it('blames the kernel for a SIGKILL alone, and only when init was ending as the count rose', () => {
    const {oom, kernel} = open({isEnding: true})
    oom.watch(init, ['/g'], 0)
    expect(oom.hasEnded(killedBySigkill)).toBe(false)
    kernel.killed = 1
    expect(oom.hasEnded({type: 'code', code: 137})).toBe(false)
    expect(oom.hasEnded(killedBySigkill)).toBe(true)
    const spared = open()
    spared.oom.watch(init, ['/g'], 0)
    spared.kernel.killed = 1
    expect(spared.oom.hasEnded(killedBySigkill)).toBe(false)
  })

  it('has nothing to watch where no group accounts for memory', () => {
    const {oom, clock, reported} = open()
    oom.watch(init, [], 0)
    oom.look()
    expect([clock.armed, reported]).toEqual([0, []])
  })
})
