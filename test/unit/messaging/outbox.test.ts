/** The outbox with a stream in memory and a fake clock; the tests with nats-server are in test/integration/messaging. */
import {ErrorCode, NatsError} from 'nats'
import {expect, test} from 'vitest'
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {TallyError} from '../../../src/kernel/errors.ts'
import {silentLogger} from '../../../src/kernel/log.ts'
import type {ContainerStream} from '../../../src/messaging/container-stream.ts'
import type {Rebuilding} from '../../../src/messaging/judge-comparison.ts'
import {createOutboxLoop} from '../../../src/messaging/outbox.ts'
import {createFakeClock} from '../../support/fake-clock.ts'
import {numberedEvents} from '../../support/numbered-events.ts'

const uid = 'u1'
const make = (count: number) => numberedEvents({address: {node: 'n1', namespace: 'default', id: 'web'}, uid, count})

function createMemoryStream() {
  const calls: string[] = []
  const failures: unknown[] = []
  let stored: readonly {readonly event: LedgerEvent; readonly streamSequence: number; readonly storedAtMs: number}[] = []
  let lastSequence = 0
  let changed = () => {}
  const connection = Promise.withResolvers<void>()
  let isClosed = false

  const call = (name: string) => {
    calls.push(name)
    const failure = failures.shift()
    if (failure !== undefined) throw failure
  }
  const stream: ContainerStream = {
    isClosed: () => isClosed,
    closed: () => connection.promise,
    hasInPlace: async ({first, latest}) => {
      call('check')
      const last = stored.at(-1)
      if (!last) return latest.sequence === 0
      return (
        last.event.sequence === latest.sequence &&
        last.streamSequence === latest.streamSequence &&
        stored[0]?.streamSequence === first.streamSequence
      )
    },
    read: async () => {
      call('read')
      const state = {created: '', lastSequence, isLimited: false, droppedBeforeMs: 0}
      const present = stored
      return {
        state,
        events: (async function* () {
          yield* present
        })(),
      }
    },
    remove: async (wrong) => {
      call('remove')
      stored = stored.filter(({streamSequence}) => !wrong.some((one) => one.streamSequence === streamSequence))
    },
    publish: async (event) => {
      call(`publish ${event.sequence}`)
      lastSequence += 1
      stored = [...stored, {event, streamSequence: lastSequence, storedAtMs: 0}]
      return lastSequence
    },
    ensure: async () => call('ensure'),
    watch: (onChange) => {
      changed = onChange
      return {[Symbol.dispose]: () => {}}
    },
  }
  return {
    stream,
    calls,
    failures,
    sequences: () => stored.map(({event}) => event.sequence),
    /** With all that it has; its numbers begin again. */
    deleteStream: () => {
      stored = []
      lastSequence = 0
    },
    remove: (sequence: number) => {
      stored = stored.filter(({event}) => event.sequence !== sequence)
    },
    change: () => changed(),
    close: () => {
      isClosed = true
      connection.resolve()
    },
  }
}

function open({journal, fresh = true}: {readonly journal: LedgerEvent[]; readonly fresh?: boolean}) {
  const clock = createFakeClock(1_000_000)
  const memory = createMemoryStream()
  const rebuilt: Rebuilding[] = []
  const outbox = createOutboxLoop({
    source: {latestSequence: () => journal.length, read: (after = 0) => journal.slice(after)},
    uid,
    clock,
    logger: silentLogger,
    fresh,
    onRebuild: (rebuilding) => rebuilt.push(rebuilding),
    chance: () => 0.5,
  })
  const ended = outbox.publishUntilClosed(memory.stream)
  return {...memory, clock, outbox, rebuilt, ended}
}

/** Until nothing is under way but timers. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

test('publishes what the journal has and what is added, each once and in order, and confirms it', async () => {
  const journal = [...make(2)]
  const {outbox, sequences, calls} = open({journal})
  expect(await outbox.whenAcknowledged(2, 1_000)).toBe(true)
  journal.push(...make(3).slice(2))
  outbox.poke()
  expect(await outbox.whenAcknowledged(3, 1_000)).toBe(true)
  expect([sequences(), calls, outbox.acknowledged]).toEqual([[1, 2, 3], ['publish 1', 'publish 2', 'publish 3'], 3])
})

test('a confirmation that does not come in time is not waited for, and leaves no timer', async () => {
  const {outbox, clock} = open({journal: []})
  await settle()
  const {armed} = clock
  const confirmed = outbox.whenAcknowledged(1, 500)
  clock.advance(500)
  expect([await confirmed, clock.armed]).toEqual([false, armed])
})

test('an idle outbox looks after about thirty seconds, after a publication within seconds', async () => {
  const {clock, calls} = open({journal: [...make(1)]})
  await settle()
  clock.advance(2_999)
  await settle()
  expect(calls).toEqual(['publish 1'])
  clock.advance(1)
  await settle()
  clock.advance(29_999)
  await settle()
  expect(calls).toEqual(['publish 1', 'check'])
  clock.advance(1)
  await settle()
  expect(calls).toEqual(['publish 1', 'check', 'check'])
})

test('a stream that was deleted and made again is looked at within half a second, and gets everything again', async () => {
  const {clock, sequences, rebuilt, deleteStream, change} = open({journal: [...make(3)]})
  await settle()
  deleteStream()
  change()
  clock.advance(250)
  await settle()
  expect([sequences(), rebuilt]).toEqual([[1, 2, 3], [{from: 1, missing: 3, removed: 0}]])
})

test('a gap is found by a comparison that is requested; it is answered with what the stream had', async () => {
  const {outbox, sequences, rebuilt, remove} = open({journal: [...make(4)]})
  await settle()
  remove(2)
  expect(await outbox.compare()).toMatchObject({kept: {sequence: 1}, wrong: [{}, {}]})
  await settle()
  expect([sequences(), rebuilt]).toEqual([[1, 2, 3, 4], [{from: 2, missing: 1, removed: 2}]])
})

test('a stream that cannot be read is left alone for five seconds', async () => {
  const {clock, calls, failures, outbox} = open({journal: [], fresh: false})
  await settle()
  failures.push(new TallyError('STREAM_UNREADABLE', 'nats-server misreads it'))
  void outbox.compare()
  await settle()
  clock.advance(4_999)
  await settle()
  expect(calls).toEqual(['read', 'read'])
  clock.advance(1)
  await settle()
  clock.advance(250)
  await settle()
  expect(calls).toEqual(['read', 'read', 'read'])
})

test('a missing stream is made once the coordinator had time to make it, and is compared then', async () => {
  const {clock, calls, failures, outbox} = open({journal: [], fresh: false})
  await settle()
  failures.push(new NatsError('no responders', ErrorCode.NoResponders))
  void outbox.compare()
  await settle()
  clock.advance(1_499)
  await settle()
  expect(calls).toEqual(['read', 'read'])
  clock.advance(1)
  await settle()
  clock.advance(250)
  await settle()
  expect(calls).toEqual(['read', 'read', 'ensure', 'read'])
})

test('a publication that fails is followed by a comparison, a quarter of a second later', async () => {
  const journal = [...make(1)]
  const {clock, calls, failures, outbox, sequences} = open({journal})
  await settle()
  failures.push(new Error('no acknowledgement'))
  journal.push(...make(2).slice(1))
  outbox.poke()
  await settle()
  clock.advance(249)
  await settle()
  expect(calls).toEqual(['publish 1', 'publish 2'])
  clock.advance(1)
  await settle()
  expect(calls).toEqual(['publish 1', 'publish 2', 'read', 'publish 2'])
  expect(sequences()).toEqual([1, 2])
})

test('a connection that is lost ends the session; a comparison that was requested is made over the next', async () => {
  const {outbox, close, ended, clock} = open({journal: [...make(2)]})
  await settle()
  close()
  await ended
  const compared = outbox.compare()
  const next = createMemoryStream()
  void outbox.publishUntilClosed(next.stream)
  expect(await compared).toMatchObject({kept: {sequence: 0}, wrong: []})
  await settle()
  expect(next.sequences()).toEqual([1, 2])
  next.close()
  await settle()
  expect(clock.armed).toBe(0)
})
