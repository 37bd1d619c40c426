import {expect, it} from 'vitest'
import type {ContainerIdentity} from '../../../../src/coordinator/directories/containers.ts'
import {createSupervision} from '../../../../src/coordinator/supervision/supervision.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

const web: ContainerIdentity = {namespace: 'default', id: 'web', uid: 'u1'}

/** A node whose shims are the test's: it says which containers there are and which of them have none. */
function startNode({containers = [web], at = 1_000}: {readonly containers?: readonly ContainerIdentity[]; readonly at?: number} = {}) {
  const clock = createFakeClock(at)
  const ending = new AbortController()
  const there = new Map(containers.map((container) => [container.id, container]))
  const supervised = new Set<string>()
  const atRest = new Set<string>()
  const assigned: {readonly uid: string; readonly atMs: number}[] = []
  const givenUp: string[] = []
  const woken: string[] = []
  let refuses = false
  const supervision = createSupervision({
    listContainers: () => [...there.values()],
    isAtRest: ({id}) => atRest.has(id),
    findVacant: ({id}) => (supervised.has(id) ? undefined : there.get(id)),
    assign: ({id, uid}) => {
      assigned.push({uid, atMs: clock.now()})
      if (refuses) return Promise.reject(new Error('no processes left'))
      supervised.add(id)
      return Promise.resolve()
    },
    identify: ({id}) => there.get(id),
    wake: async ({id}) => void woken.push(id),
    giveUp: async ({uid}) => void givenUp.push(uid),
    clock,
    logger: silentLogger,
    signal: ending.signal,
  })
  return {
    clock,
    ending,
    there,
    assigned,
    givenUp,
    woken,
    supervised,
    atRest,
    supervision,
    refuse: (whether: boolean) => {
      refuses = whether
    },
    /** As SIGKILL ends it. */
    killShim: async (container = web) => {
      supervised.delete(container.id)
      // What was assigned has answered before.
      await settle()
      supervision.observeEnd(container)
      await settle()
    },
  }
}

async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

it('replaces a shim at once, and the next one after a moment', async () => {
  const node = startNode()
  node.supervision.look()
  expect(node.assigned).toEqual([{uid: 'u1', atMs: 1_000}])
  await node.killShim()
  expect(node.assigned).toHaveLength(1)
  node.clock.advance(20)
  expect(node.assigned.at(-1)).toEqual({uid: 'u1', atMs: 1_020})
})

it('replaces those at once that die now and then', async () => {
  const node = startNode()
  for (let death = 0; death < 20; death += 1) {
    await node.killShim()
    expect(node.assigned).toHaveLength(death + 1)
    node.clock.advance(7_000)
  }
  expect(node.givenUp).toEqual([])
})

it('gives up a container whose shims die as soon as they are there, and says so once', async () => {
  const node = startNode()
  node.supervision.look()
  for (let ms = 0; ms < 30_000; ms += 10) {
    await node.killShim()
    node.clock.advance(10)
  }
  const delays = node.assigned.map(({atMs}, index) => atMs - (node.assigned[index - 1]?.atMs ?? atMs))
  expect(delays).toEqual([0, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120])
  expect(node.givenUp).toEqual(['u1'])
  node.clock.advance(600_000)
  node.supervision.look()
  expect(node.assigned).toHaveLength(10)
  expect(node.clock.armed).toBe(0)
})

it('begins anew after a restart of the node', async () => {
  const node = startNode()
  for (let ms = 0; ms < 30_000; ms += 10) {
    await node.killShim()
    node.clock.advance(10)
  }
  expect(node.givenUp).toEqual(['u1'])
  const next = startNode({at: node.clock.now()})
  next.supervision.look()
  expect(next.assigned).toHaveLength(1)
})

it('tries again when a shim cannot be started', async () => {
  const node = startNode()
  node.refuse(true)
  node.supervision.look()
  await settle()
  node.supervision.look()
  expect(node.assigned).toHaveLength(1)
  node.refuse(false)
  node.clock.advance(20)
  await settle()
  expect(node.assigned).toHaveLength(2)
  node.supervision.look()
  expect(node.assigned).toHaveLength(2)
})

it('gives a container that was given up a supervisor when that is asked for', async () => {
  const node = startNode()
  for (let ms = 0; ms < 30_000; ms += 10) {
    await node.killShim()
    node.clock.advance(10)
  }
  node.supervision.request(web)
  expect(node.assigned).toHaveLength(11)
  node.supervision.request(web)
  node.supervision.request({namespace: 'default', id: 'none'})
  expect(node.assigned).toHaveLength(11)
})

it('writes down once that a shim has given up, and tries one again that had given up before the node was started', async () => {
  const node = startNode()
  node.supervised.add('web')
  node.supervision.observePhase(web, 'gave-up', undefined)
  expect([node.woken, node.givenUp]).toEqual([['web'], []])
  node.supervision.observePhase(web, 'up', 'gave-up')
  node.supervision.observePhase(web, 'waiting', 'up')
  node.supervision.observePhase(web, 'gave-up', 'waiting')
  node.supervision.observePhase(web, 'gave-up', 'gave-up')
  node.supervision.observePhase(web, 'gave-up', undefined)
  expect([node.woken, node.givenUp]).toEqual([['web'], ['u1']])
  node.supervision.look()
  expect(node.assigned).toEqual([])
})

it('wakes the shim, also one that has given up, when a supervisor is asked for', async () => {
  const node = startNode()
  node.supervised.add('web')
  node.supervision.observePhase(web, 'gave-up', 'up')
  node.supervision.request(web)
  expect([node.woken, node.assigned]).toEqual([['web'], []])
  node.supervision.observePhase(web, 'up', 'gave-up')
  node.supervised.delete('web')
  node.supervision.look()
  expect(node.assigned).toHaveLength(1)
})

it('gives a container at rest no shim before one is asked for', async () => {
  const node = startNode()
  node.atRest.add('web')
  node.supervision.look()
  await node.killShim()
  expect(node.assigned).toEqual([])
  node.supervision.request(web)
  expect(node.assigned).toHaveLength(1)
})

it('takes a container of the same name for another one, and forgets those that are gone', async () => {
  const node = startNode()
  for (let ms = 0; ms < 30_000; ms += 10) {
    await node.killShim()
    node.clock.advance(10)
  }
  const next = {...web, uid: 'u2'}
  node.there.set('web', next)
  node.supervision.look()
  expect(node.assigned.at(-1)).toMatchObject({uid: 'u2'})
  await node.killShim(next)
  expect(node.clock.armed).toBe(1)
  node.there.clear()
  node.supervision.look()
  expect(node.clock.armed).toBe(0)
})

it('starts none once the coordinator is ending', async () => {
  const node = startNode()
  node.supervision.look()
  await node.killShim()
  expect(node.clock.armed).toBe(1)
  node.ending.abort()
  expect(node.clock.armed).toBe(0)
  node.supervision.look()
  node.supervision.request(web)
  await node.killShim()
  expect(node.assigned).toHaveLength(1)
})
