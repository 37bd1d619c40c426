import {expect, it} from 'vitest'
import {createShims} from '../../../../src/coordinator/supervision/shims.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import type {ContainerName} from '../../../../src/layout/container-name.ts'
import {ShimError} from '../../../../src/shim/client/calls.ts'
import type {ShimStatus} from '../../../../src/shim/client/control.ts'
import type {Phase} from '../../../../src/shim/client/frames.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

const web = {namespace: 'default', id: 'web'}
const status: ShimStatus = {
  protocol: 1,
  phase: 'up',
  leaving: 'stays',
  pid: 7,
  starts: 1,
  deaths: 0,
  last: undefined,
  startAtMs: undefined,
  deadlineMs: undefined,
  watched: 0,
  ended: 0,
  stdios: 0,
}

/** Shims that are the test's: `sockets` says what answers on the socket of each container. */
function openNode(names: readonly ContainerName[] = [web]) {
  const sockets = new Map<string, 'listens' | 'stopped' | 'full'>()
  const attempts: string[] = []
  const seen: unknown[] = []
  const ended: string[] = []
  const woken: unknown[] = []
  /** Each is called once, instead of an answer to a wake. */
  const resets: (() => void)[] = []
  const follows = new Map<string, (status: ShimStatus) => void>()
  const ends = new Map<string, () => void>()
  let isClosed = false
  const listed = [...names]
  const clock = createFakeClock(0)
  const shims = createShims({
    listContainers: () => listed,
    connect: async ({id}, {onEnd}) => {
      attempts.push(id)
      const socket = sockets.get(id)
      if (socket === undefined) throw Object.assign(new Error('connect'), {code: 'ECONNREFUSED'})
      if (socket === 'full') throw Object.assign(new Error('connect'), {code: 'EAGAIN'})
      ends.set(id, () => onEnd?.(new Error('ended')))
      return {
        wake: async (options) => {
          woken.push([id, options])
          const reset = resets.pop()
          if (reset) {
            reset()
            onEnd?.(new Error('ended'))
            throw new ShimError('ECONNRESET', 'the shim has closed the connection')
          }
          return status
        },
        status: async () => status,
        follow: async (onStatus) => {
          if (socket === 'stopped') return await new Promise<void>(() => {})
          follows.set(id, onStatus)
          onStatus(status)
        },
        command: async () => {},
        upgrade: async () => {},
        [Symbol.dispose]: () => {
          isClosed = true
        },
      }
    },
    clock,
    logger: silentLogger,
  })
  shims.onStatus(({id}, {phase}, former) => seen.push([id, phase, former?.phase]))
  shims.onEnd(({id}) => ended.push(id))
  return {
    shims,
    sockets,
    attempts,
    seen,
    ended,
    woken,
    resets,
    clock,
    listed,
    isClosed: () => isClosed,
    tell: (phase: Phase) => follows.get('web')?.({...status, phase}),
    /** Its connection ends, as with its death or an upgrade. */
    end: async () => {
      ends.get('web')?.()
      await settle()
    },
  }
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

it('a shim that has not been asked may be there; it is absent when nobody listens', async () => {
  const {shims, ended} = openNode()
  expect(shims.has(web)).toBe(true)
  await shims.refresh()
  expect([shims.has(web), shims.status(web), ended]).toEqual([false, undefined, []])
  expect(await shims.wake(web)).toBeUndefined()
})

it('one connection is kept open, and tells what changes', async () => {
  const {shims, sockets, attempts, seen, tell} = openNode()
  sockets.set('web', 'listens')
  await Promise.all([shims.refresh(), shims.connect(web), shims.refresh()])
  await shims.refresh()
  tell('asleep')
  expect(attempts).toEqual(['web'])
  expect(seen).toEqual([
    ['web', 'up', undefined],
    ['web', 'asleep', 'up'],
  ])
  expect(shims.status(web)?.phase).toBe('asleep')
})

it('a shim whose connection ends is there when it listens, and has ended when it does not', async () => {
  const {shims, sockets, end, ended, seen} = openNode()
  sockets.set('web', 'listens')
  await shims.refresh()
  await end()
  expect([shims.has(web), ended]).toEqual([true, []])
  expect(seen).toEqual([
    ['web', 'up', undefined],
    ['web', 'up', undefined],
  ])
  sockets.delete('web')
  await end()
  expect([shims.has(web), ended]).toEqual([false, ['web']])
  await shims.refresh()
  expect(ended).toEqual(['web'])
})

it('one that is stopped, or busy, is there, and keeps nobody waiting', async () => {
  const {shims, sockets, woken} = openNode([web, {namespace: 'default', id: 'busy'}])
  sockets.set('web', 'stopped').set('busy', 'full')
  await shims.refresh()
  expect([shims.has(web), shims.status(web), shims.has({namespace: 'default', id: 'busy'})]).toEqual([true, undefined, true])
  await shims.wake(web, {force: true})
  expect(woken).toEqual([['web', {force: true}]])
})

it('is found when it listens later, and not waited for longer than half a second', async () => {
  const {shims, sockets} = openNode()
  await shims.refresh()
  sockets.set('web', 'listens')
  await shims.refresh()
  expect(shims.has(web)).toBe(true)
})

it('closes its connections in the end, and makes no others', async () => {
  const {shims, sockets, attempts, isClosed, end} = openNode()
  sockets.set('web', 'listens')
  await shims.refresh()
  shims[Symbol.dispose]()
  expect(isClosed()).toBe(true)
  await end()
  await shims.refresh()
  expect(attempts).toEqual(['web'])
})

it('a wake that a shim does not answer because its image is replaced goes to the new one; to none when it has ended', async () => {
  const {shims, sockets, resets, woken, ended} = openNode()
  sockets.set('web', 'listens')
  await shims.refresh()
  resets.push(() => {})
  expect(await shims.wake(web)).toEqual(status)
  expect([woken.length, ended]).toEqual([2, []])
  resets.push(() => sockets.delete('web'))
  expect(await shims.wake(web)).toBeUndefined()
  expect([shims.has(web), ended]).toEqual([false, ['web']])
})
