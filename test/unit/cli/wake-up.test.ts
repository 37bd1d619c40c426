import {expect, it} from 'vitest'
import {createWakeUp} from '../../../src/cli/wake-up.ts'

it('wakes at once the first time', async () => {
  expect(await createWakeUp().next()).toBe('notified')
})

it('counts several notifications as one', async () => {
  const wakeUp = createWakeUp()
  wakeUp.notify()
  wakeUp.notify()
  await wakeUp.next()
  const next = Promise.race([wakeUp.next(), Promise.resolve('waiting')])
  expect(await next).toBe('waiting')
})

it('wakes a loop that waits', async () => {
  const wakeUp = createWakeUp()
  await wakeUp.next()
  const next = wakeUp.next()
  wakeUp.notify()
  expect(await next).toBe('notified')
})

it('does not lose a notification that comes while the loop is busy', async () => {
  const wakeUp = createWakeUp()
  await wakeUp.next()
  wakeUp.notify()
  expect(await wakeUp.next()).toBe('notified')
})

it('wakes without a notification after the limit', async () => {
  const wakeUp = createWakeUp()
  await wakeUp.next()
  expect(await wakeUp.next(0)).toBe('notified')
})

it('reports its end to a loop that waits, and to every later call', async () => {
  const wakeUp = createWakeUp()
  await wakeUp.next()
  const next = wakeUp.next()
  wakeUp.end()
  expect(await next).toBe('ended')
  wakeUp.notify()
  expect(await wakeUp.next()).toBe('ended')
})
