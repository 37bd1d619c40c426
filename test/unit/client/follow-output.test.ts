import {headers, type Msg, type NatsConnection} from 'nats'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'
import {createOutputFollower, type FollowOptions} from '../../../src/client/follow-output.ts'
import type {OutputOptions, ProcessClient} from '../../../src/client/types.ts'
import {TallyError} from '../../../src/kernel/errors.ts'
import {createSubjects} from '../../../src/messaging/subjects.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const settle = () => vi.advanceTimersByTimeAsync(0)

/** A process that has written `log`, and a connection that brings what the test publishes. */
function createProcess(log = '') {
  const closed = Promise.withResolvers<void>()
  const asked: (OutputOptions & {readonly offset: number})[] = []
  const present = {log, ended: false, refuses: undefined as string | undefined}
  let callback = (_error: null, _message: Msg) => {}
  const connection = {
    subscribe: (_subject: string, options: {readonly callback: typeof callback}) => {
      callback = options.callback
      return {unsubscribe: () => {}}
    },
    closed: () => closed.promise,
  } as unknown as NatsConnection
  const output: ProcessClient['output'] = async (_stream, offset, options = {}) => {
    asked.push({offset, ...options})
    if (present.refuses !== undefined && options.watchMs !== undefined) throw new TallyError('INVALID_REQUEST', present.refuses)
    const data = Buffer.from(present.log.slice(offset)).toString('base64')
    return {offset, data, total: present.log.length, ended: present.ended}
  }
  return {
    present,
    asked,
    closed,
    publish: (offset: number, text: string, isEnd = false) => {
      const header = headers()
      header.set('Tally-Offset', String(offset))
      if (isEnd) header.set('Tally-Eof', '1')
      callback(null, {data: Buffer.from(text), headers: header} as unknown as Msg)
    },
    follow: (options: Partial<FollowOptions> = {}) => {
      const pieces: Uint8Array[] = []
      const follower = createOutputFollower(
        {
          client: {connection, subjects: createSubjects()},
          process: {address: {node: 'n1', namespace: 'default', id: 'web'}, exec: undefined, output},
          clock: {elapsed: () => performance.now()},
        },
        {stream: 'stdout', onBytes: (bytes) => void pieces.push(bytes), ...options},
      )
      return {follower, got: () => Buffer.concat(pieces).toString()}
    },
  }
}

describe('a follower of output', () => {
  it('asks at once for what comes to be published, and reads what was there', async () => {
    const {follow, asked} = createProcess('before')
    const {follower, got} = follow()
    await settle()
    expect([got(), follower.position, asked]).toEqual(['before', 6, [{offset: 0, watchMs: 10_000}]])
    follower[Symbol.dispose]()
    await follower.ended
  })

  it('asks again every three seconds between messages, and after a second without one', async () => {
    const {follow, asked, present, publish} = createProcess()
    const {follower, got} = follow()
    await settle()
    for (let at = 0; at < 70; at += 1) {
      present.log += 'x'
      publish(at, 'x')
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(asked.map(({watchMs}) => watchMs)).toEqual([10_000, 10_000, 10_000])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(asked).toHaveLength(5)
    expect(got()).toBe('x'.repeat(70))
    follower[Symbol.dispose]()
    await follower.ended
  })

  it('that a new supervisor does not publish for finds what it misses within a second, and asks that one', async () => {
    const {follow, asked, present, publish} = createProcess()
    const {follower, got} = follow()
    await settle()
    present.log = 'heard, missed'
    publish(0, 'heard')
    await vi.advanceTimersByTimeAsync(1_000)
    expect([got(), asked.at(-1)]).toEqual(['heard, missed', {offset: 5, watchMs: 10_000}])
    follower[Symbol.dispose]()
    await follower.ended
  })

  it('fills a gap before it goes on, and skips what it has', async () => {
    const {follow, present, publish} = createProcess()
    const {follower, got} = follow()
    await settle()
    present.log = 'abcdef'
    publish(0, 'ab')
    publish(4, 'ef')
    publish(1, 'bcd')
    publish(6, '', true)
    await follower.ended
    expect(got()).toBe('abcdef')
  })

  it('fails when it misses something that nobody has any more', async () => {
    const {follow, publish} = createProcess()
    const {follower} = follow()
    await settle()
    publish(4, 'ef')
    await expect(follower.ended).rejects.toMatchObject({code: 'CONTAINER_NOT_FOUND'})
  })

  it('ends with the reply that says so, if the last message was lost', async () => {
    const {follow, present} = createProcess('all')
    const {follower, got} = follow()
    await settle()
    present.ended = true
    await vi.advanceTimersByTimeAsync(1_000)
    await follower.ended
    expect(got()).toBe('all')
  })

  it('of a supervisor of an earlier version asks without a time, since that one publishes always', async () => {
    const {follow, asked, present, publish} = createProcess('old')
    present.refuses = 'watchMs: unknown field'
    const {follower, got} = follow()
    await settle()
    publish(3, 'er')
    await settle()
    expect([got(), asked]).toEqual(['older', [{offset: 0, watchMs: 10_000}, {offset: 0}]])
    follower[Symbol.dispose]()
    await follower.ended
  })

  it('does not ask while its reader takes nothing: then nobody needs it published', async () => {
    const {follow, asked, present, publish} = createProcess()
    const taken = Promise.withResolvers<void>()
    const {follower} = follow({onBytes: () => taken.promise})
    await settle()
    present.log = 'piece'
    publish(0, 'piece')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked).toHaveLength(1)
    taken.resolve()
    await settle()
    expect(asked).toHaveLength(2)
    follower[Symbol.dispose]()
    await follower.ended
  })

  it('is told of a lost connection after what has come over it', async () => {
    const {follow, closed, publish} = createProcess()
    const {follower, got} = follow()
    await settle()
    publish(0, 'last')
    closed.resolve()
    await expect(follower.ended).rejects.toMatchObject({code: 'NATS_UNREACHABLE'})
    expect(got()).toBe('last')
  })
})
