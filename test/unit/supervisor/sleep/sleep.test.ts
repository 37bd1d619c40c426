import {describe, expect, it} from 'vitest'
import type {HandOver} from '../../../../src/supervisor/endpoints/presence.ts'
import type {Activity} from '../../../../src/supervisor/sleep/idleness.ts'
import {createSleep} from '../../../../src/supervisor/sleep/sleep.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

const afterMs = 1_000

interface Options {
  readonly handOver?: HandOver
  readonly refusal?: string
  readonly isAtRest?: boolean
  readonly afterMs?: number | undefined
}

function begin(options: Options = {}) {
  const clock = createFakeClock(0)
  const log: string[] = []
  let activity: Activity = {open: 0, lastMs: clock.elapsed(), isRecorded: true, attendedUntilMs: undefined, dues: []}
  let refusal = options.refusal
  const {relieve} = createSleep(
    {
      activity: () => activity,
      isAtRest: () => options.isAtRest === true,
      service: {
        handOver: async () => {
          log.push('hand over')
          return options.handOver ?? {type: 'handed over'}
        },
        takeBack: async () => void log.push('take back'),
      },
      shim: {
        call: (async (name: string, fields: object) => {
          log.push(`${name} ${JSON.stringify(fields)}`)
          return {}
        }) as never,
        leave: async (how) => {
          log.push(how)
          if (refusal !== undefined) throw new Error(refusal)
        },
      },
      remember: () => log.push('remember'),
      end: async () => {
        log.push('end')
        return await new Promise<never>(() => {})
      },
      clock,
      logger: {debug: () => {}, error: () => {}},
    },
    {afterMs: 'afterMs' in options ? options.afterMs : afterMs},
  )
  const pass = async (ms: number) => {
    clock.advance(ms)
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve()
  }
  return {
    clock,
    log,
    pass,
    relieve,
    set: (changes: Partial<Activity>) => {
      activity = {...activity, ...changes}
    },
    allow: () => {
      refusal = undefined
    },
  }
}

it('remembers, sets the deadline, hands over and leaves, in this order', async () => {
  const {log, pass, set, clock} = begin()
  const dueMs = clock.elapsed() + 60_000
  set({dues: [dueMs]})
  await pass(afterMs)
  expect(log).toEqual(['remember', `deadline {"atMs":${dueMs}}`, 'hand over', 'sleep', 'end'])
})

it('ends the shim as well when there is nothing for it to hold', async () => {
  const {log, pass} = begin({isAtRest: true})
  await pass(afterMs)
  expect(log).toEqual(['remember', 'deadline {}', 'hand over', 'end', 'end'])
})

it('does not fall asleep before its time, nor while there is something to do', async () => {
  const {log, pass, set} = begin()
  await pass(afterMs - 1)
  set({open: 1})
  await pass(5 * afterMs)
  expect(log).toEqual([])
  set({open: 0})
  await pass(2 * afterMs)
  expect(log.at(-1)).toBe('end')
})

it('stays when nobody stands in for it, without a deadline, and tries again', async () => {
  const {log, pass} = begin({handOver: {type: 'stays', why: 'no coordinator'}})
  await pass(afterMs)
  expect(log).toEqual(['remember', 'deadline {}', 'hand over', 'deadline {}'])
  await pass(afterMs)
  expect(log).toHaveLength(8)
})

it('takes its requests back when its shim refuses, since something has come', async () => {
  const {log, pass, allow} = begin({refusal: 'EAGAIN'})
  await pass(afterMs)
  expect(log).toEqual(['remember', 'deadline {}', 'hand over', 'sleep', 'deadline {}', 'take back'])
  allow()
  await pass(afterMs)
  expect(log.slice(6)).toEqual(['remember', 'deadline {}', 'hand over', 'sleep', 'end'])
})

describe('one that is relieved', () => {
  it('leaves at once although somebody follows and something is due, and has the next one started', async () => {
    const {log, pass, set, relieve, clock} = begin()
    set({attendedUntilMs: clock.elapsed() + 60_000, dues: [clock.elapsed() + 10]})
    relieve()
    await pass(0)
    expect(log).toEqual(['remember', 'deadline {}', 'hand over', `deadline {"atMs":${clock.elapsed() + 50}}`, 'sleep', 'end'])
  })

  it('leaves also if it never falls asleep by itself', async () => {
    const {log, pass, relieve} = begin({afterMs: undefined})
    await pass(10 * afterMs)
    expect(log).toEqual([])
    relieve()
    await pass(0)
    expect(log.at(-1)).toBe('end')
  })

  it('waits for what is in flight, and for the stream', async () => {
    const {log, pass, set, relieve} = begin()
    set({open: 1})
    relieve()
    await pass(afterMs)
    set({open: 0, isRecorded: false})
    await pass(afterMs)
    expect(log).toEqual([])
    set({isRecorded: true})
    await pass(20)
    expect(log.at(-1)).toBe('end')
  })

  it('needs no successor without a process', async () => {
    const {log, pass, relieve} = begin({isAtRest: true})
    relieve()
    await pass(0)
    expect(log).toEqual(['remember', 'deadline {}', 'hand over', 'end', 'end'])
  })

  it('tries again after a refusal', async () => {
    const {log, pass, relieve, allow} = begin({refusal: 'EAGAIN'})
    relieve()
    await pass(0)
    expect(log.slice(-2)).toEqual(['deadline {}', 'take back'])
    allow()
    await pass(200)
    expect(log.slice(-2)).toEqual(['sleep', 'end'])
  })
})
