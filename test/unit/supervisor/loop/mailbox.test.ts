import {expect, it} from 'vitest'
import {createMailbox} from '../../../../src/supervisor/loop/mailbox.ts'

it('takes items in order of arrival, and lets them pass one that has to wait', () => {
  const taken: string[] = []
  let isOpen = false
  const mailbox = createMailbox<{readonly name: string}>((item) => {
    const {name} = item
    if (name === 'waits' && !isOpen) return item
    taken.push(name)
    return undefined
  })
  for (const name of ['a', 'waits', 'b']) mailbox.deliver({name})
  expect(taken).toEqual(['a', 'b'])
  isOpen = true
  mailbox.drain()
  expect(taken).toEqual(['a', 'b', 'waits'])
  mailbox.drain()
  expect(taken).toEqual(['a', 'b', 'waits'])
})

it('tries what waits again, the oldest first, after each item that was taken', () => {
  const tried: string[] = []
  const mailbox = createMailbox<{readonly name: string}>((item) => {
    const {name} = item
    tried.push(name)
    return name === 'taken' ? undefined : item
  })
  for (const name of ['first', 'second', 'taken']) mailbox.deliver({name})
  expect(tried.slice(-3)).toEqual(['taken', 'first', 'second'])
})

it('keeps in the place of an item what take has made of it', () => {
  const seen: number[] = []
  const mailbox = createMailbox<{readonly tries: number}>(({tries}) => {
    seen.push(tries)
    return tries === 2 ? undefined : {tries: tries + 1}
  })
  mailbox.deliver({tries: 0})
  mailbox.drain()
  mailbox.drain()
  expect(seen).toEqual([0, 1, 2])
})

it('takes what is delivered while it takes another item after that', () => {
  const taken: string[] = []
  const mailbox = createMailbox<{readonly name: string}>((item) => {
    const {name} = item
    if (name === 'outer') mailbox.deliver({name: 'inner'})
    taken.push(name)
    return undefined
  })
  mailbox.deliver({name: 'outer'})
  expect(taken).toEqual(['outer', 'inner'])
})
