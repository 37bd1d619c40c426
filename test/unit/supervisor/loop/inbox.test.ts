import {expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {createInbox} from '../../../../src/supervisor/loop/inbox.ts'
import {happen, toHistory} from '../../../support/given.ts'
import {origin} from './loop-fixture.ts'

const [event] = toHistory([happen.exited])

it('hands over what came before the loop, in its order, and what comes later at once', async () => {
  const inbox = createInbox()
  const early = [inbox.observe(happen.oom), inbox.observe(happen.exited, origin)]
  const taken: unknown[][] = []
  inbox.connect(async (draft: Draft, from) => {
    taken.push([draft.type, from])
    return event
  })
  expect(taken).toEqual([
    ['container.oom', undefined],
    ['container.exited', origin],
  ])
  expect(await Promise.all(early)).toEqual([event, event])
  const late = inbox.observe(happen.paused)
  expect(taken.length).toBe(3)
  expect(await late).toEqual(event)
})
