import {describe, expect, it} from 'vitest'
import {formatEvent, toEventStream} from '../../../../src/web/server/server-sent-events.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

const clock = () => createFakeClock(Date.parse('2026-01-02T03:04:05.000Z'))
const turn = () => new Promise((resolve) => setImmediate(resolve))

function open(pieces: readonly string[] | 'silence') {
  const time = clock()
  const seen = {asked: 0, ended: false, stalled: false}
  const stream = toEventStream(
    async function* (signal) {
      try {
        if (pieces === 'silence') return void (await new Promise((resolve) => signal.addEventListener('abort', resolve)))
        for (const piece of pieces) {
          seen.asked += 1
          yield piece
        }
      } finally {
        seen.ended = true
      }
    },
    {
      clock: time,
      heartbeatMs: 15_000,
      stallMs: 60_000,
      onStalled: () => {
        seen.stalled = true
      },
    },
  )
  const reader = stream.getReader()
  const read = async () => {
    const {done, value} = await reader.read()
    return done ? 'end' : Buffer.from(value).toString()
  }
  return {time, seen, reader, read}
}

describe('an event', () => {
  it('is one message, whatever its data', () => {
    expect(formatEvent({id: 7, data: {text: 'a\n\nid: 9\n\n<b>'}})).toBe('id: 7\ndata: {"text":"a\\n\\nid: 9\\n\\n<b>"}\n\n')
    expect(formatEvent({event: 'end', data: {}})).toBe('event: end\ndata: {}\n\n')
  })
})

describe('a stream of events', () => {
  it('requests an event only when the previous one has been consumed', async () => {
    const {read, seen} = open(['one', 'two', 'three'])
    expect(await read()).toBe('retry: 1000\n\n')
    await turn()
    expect(seen.asked).toBe(0)
    expect(await read()).toBe('one')
    await turn()
    expect(seen.asked).toBe(1)
    expect([await read(), await read(), await read()]).toEqual(['two', 'three', 'end'])
    expect(seen.ended).toBe(true)
  })

  it('sends a comment when there are no events', async () => {
    const {time, read} = open('silence')
    await read()
    const beat = read()
    await turn()
    time.advance(15_000)
    expect(await beat).toBe(': still here\n\n')
  })

  it('ends when the client reads nothing for a minute', async () => {
    const {time, seen, read} = open(['one', 'two'])
    await read()
    await read()
    time.advance(59_999)
    expect(seen.stalled).toBe(false)
    time.advance(1)
    await turn()
    expect(seen).toEqual({asked: 1, ended: true, stalled: true})
  })

  it('passes on an error, even one that occurs before the next request', async () => {
    const time = clock()
    const failing = Promise.withResolvers<string>()
    const reader = toEventStream(
      async function* () {
        yield await failing.promise
      },
      {clock: time, onStalled: () => {}},
    ).getReader()
    await reader.read()
    const beat = reader.read()
    await turn()
    time.advance(15_000)
    await beat
    failing.reject(new Error('no more'))
    await turn()
    await expect(reader.read()).rejects.toThrow('no more')
  })

  it('leaves no timer and no open source when the reader leaves', async () => {
    const {time, seen, reader, read} = open(['one', 'two'])
    await read()
    await read()
    await reader.cancel()
    await turn()
    expect({armed: time.armed, ended: seen.ended}).toEqual({armed: 0, ended: true})
    const silent = open('silence')
    await silent.read()
    const waiting = silent.read()
    await turn()
    await silent.reader.cancel()
    expect(await waiting).toBe('end')
    silent.time.advance(15_000)
    await turn()
    expect({armed: silent.time.armed, ended: silent.seen.ended}).toEqual({armed: 0, ended: true})
  })
})
