import type {Msg} from 'nats'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'
import {createMessageQueue} from '../../../src/client/message-queue.ts'

const message = (text: string) => ({data: Buffer.from(text)}) as unknown as Msg

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a queue of messages', () => {
  it('gives them in order, those that wait and those that are waited for', async () => {
    const queue = createMessageQueue(100)
    const [first, second] = [message('a'), message('b')]
    queue.push(first)
    expect(await queue.next(1_000)).toEqual({type: 'message', message: first})
    const next = queue.next(1_000)
    queue.push(second)
    expect(await next).toEqual({type: 'message', message: second})
    expect(vi.getTimerCount()).toBe(0)
  })

  it('reports silence once there was none for so long', async () => {
    const queue = createMessageQueue(100)
    const next = queue.next(1_000)
    await vi.advanceTimersByTimeAsync(999)
    queue.push(message('in time'))
    expect(await next).toMatchObject({type: 'message'})
    const silent = queue.next(1_000)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await silent).toEqual({type: 'silence'})
  })

  it('drops what is too much, and takes more when its reader has made room', async () => {
    const queue = createMessageQueue(2)
    const [large, dropped, later] = [message('abc'), message('d'), message('e')]
    queue.push(large)
    queue.push(dropped)
    expect(await queue.next(1)).toEqual({type: 'message', message: large})
    queue.push(later)
    expect(await queue.next(1)).toEqual({type: 'message', message: later})
  })

  it('that has ended still gives what waits', async () => {
    const queue = createMessageQueue(100)
    const last = message('last')
    queue.push(last)
    queue.end()
    expect(await queue.next(1_000)).toEqual({type: 'message', message: last})
    expect(await queue.next(1_000)).toEqual({type: 'ended'})
  })

  it('that was disposed gives nothing more, and stays disposed', async () => {
    const queue = createMessageQueue(100)
    queue.push(message('unwanted'))
    queue.dispose()
    queue.end()
    queue.push(message('too late'))
    expect(await queue.next(1_000)).toEqual({type: 'disposed'})
    expect(queue.isDisposed).toBe(true)
  })

  it.each(['ended', 'disposed'] as const)('tells a reader that waits that it has %s', async (type) => {
    const queue = createMessageQueue(100)
    const next = queue.next(1_000)
    if (type === 'ended') queue.end()
    else queue.dispose()
    expect(await next).toEqual({type})
    expect(vi.getTimerCount()).toBe(0)
  })
})
