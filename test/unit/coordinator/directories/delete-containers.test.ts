import {expect, it} from 'vitest'
import {deleteContainers} from '../../../../src/coordinator/directories/delete-containers.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

it('wakes a few supervisors at once, however many containers there are', async () => {
  const there = new Set(Array.from({length: 100}, (_, index) => `c${index}`))
  let running = 0
  let most = 0
  await deleteContainers({
    list: () => [...there].map((id) => ({namespace: 'default', id})),
    ask: async ({id}) => {
      running += 1
      most = Math.max(most, running)
      for (let turns = 0; turns < 5; turns += 1) await Promise.resolve()
      running -= 1
      there.delete(id)
    },
    supervise: () => {},
    clock: createFakeClock(0),
  })
  expect([there.size, most]).toEqual([0, 8])
})
