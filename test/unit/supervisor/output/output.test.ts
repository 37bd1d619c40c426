import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {TallyError} from '../../../../src/kernel/errors.ts'
import type {LogProgress, NewProcessStdio, ProcessStdio} from '../../../../src/stdio/process-stdio-port.ts'
import type {OutputChunk} from '../../../../src/stdio/streams.ts'
import {createInterest} from '../../../../src/supervisor/output/interest.ts'
import {createLease} from '../../../../src/supervisor/output/lease.ts'
import type {LogFollower} from '../../../../src/supervisor/output/log-follower.ts'
import {createOutput} from '../../../../src/supervisor/output/output.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'
import {settle} from '../loop/loop-fixture.ts'

const options = {stdin: false, terminal: false}
const memoryFile = () => ({read: () => undefined, write: () => {}})

/** A shim with the log of one process, a byte of which is a byte of its position. What it tells comes in one turn with the reply before it. */
function open() {
  const clock = createFakeClock(1_000)
  const asked: string[] = []
  const published: OutputChunk[] = []
  const ends: unknown[] = []
  let logged = 0
  let followed = Number.POSITIVE_INFINITY
  let isClosed = false
  let isDraining = false
  let isUnreadable = false
  let onGrew: (progress: LogProgress) => void = () => {}
  const progress = {position: 0, stdout: 0, stderr: 0}
  const note = () => Object.assign(progress, {position: logged, stdout: logged})
  const tellGrowth = () => {
    if (logged <= followed) return
    followed = Number.POSITIVE_INFINITY
    note()
    onGrew({...progress})
  }
  const ask = async <T>(name: string, answer: () => T): Promise<T> => {
    asked.push(name)
    const {promise, resolve, reject} = Promise.withResolvers<T>()
    setImmediate(() => {
      if (isClosed) return reject(new Error('ENOENT'))
      resolve(answer())
      // In the same turn, before whoever asked goes on.
      tellGrowth()
    })
    return await promise
  }
  const stdio: ProcessStdio = {
    write: async () => {},
    closeInput: async () => void asked.push('closeInput'),
    resize: async () => {},
    hold: async (untilMs, from) => void asked.push(`hold ${untilMs} ${from.stdout}`),
    follow: (position = Number.POSITIVE_INFINITY) =>
      ask(`follow ${position}`, () => {
        followed = position
        return {...note()}
      }),
    drain: async () => {
      // The shim has room for one that waits.
      if (isDraining) throw new Error('EBUSY')
      isDraining = true
      return await ask('drain', () => ({...note()})).finally(() => {
        isDraining = false
      })
    },
    progress,
    cookie: Buffer.from('put down'),
    close: async () => {
      asked.push('close')
      isClosed = true
      return {stdout: 0, stderr: 0}
    },
    discard: async () => {
      asked.push('discard')
      isClosed = true
    },
    remove: () => void asked.push('remove'),
  }
  const createFollower = (from: LogProgress, publish: (chunk: OutputChunk) => void): LogFollower => {
    let {position} = from
    let reading: Promise<void> = Promise.resolve()
    return {
      read: () => {
        const next = reading.then(() => {
          if (isUnreadable) throw new Error('EIO')
          if (logged > position) publish({stream: 'stdout', offset: position, atMs: 0, bytes: new Uint8Array(logged - position)})
          position = logged
        })
        reading = next.catch(() => {})
        return next
      },
      moveTo: (place) => {
        position = place.position
      },
      get position() {
        return position
      },
    }
  }
  const forRuntime = {type: 'terminal', consoleSocket: ''} as const
  const lease = createLease(memoryFile(), clock)
  const output = createOutput({
    openStdio: async (_, listener): Promise<NewProcessStdio> => {
      onGrew = listener
      isClosed = false
      return Object.assign(stdio, {forRuntime, handOver: async () => void asked.push('handOver')})
    },
    reopenStdio: async (_, listener) => {
      onGrew = listener
      return stdio
    },
    createFollower,
    publish: (chunk) => void published.push(chunk),
    publishEnd: (totals) => void ends.push(totals),
    lease,
    interest: createInterest(memoryFile(), clock),
  })
  const write = (bytes: number) => {
    logged += bytes
    tellGrowth()
  }
  /** What is published goes on without a gap and without a byte twice. @returns where it ends */
  const expectWhole = (from: number): number => {
    let next = from
    for (const {offset, bytes} of published) {
      expect(offset).toBe(next)
      next += bytes.length
    }
    return next
  }
  return {
    ...{output, clock, asked, published, ends, write, expectWhole, logged: () => logged},
    setUnreadable: (unreadable: boolean) => {
      isUnreadable = unreadable
    },
  }
}

describe('output of a process', () => {
  it('is published from its beginning when somebody asked before there was one', async () => {
    const {output, write, expectWhole} = open()
    await output.watch(10_000)
    await output.open(options)
    write(10)
    await output.handOver()
    await settle()
    write(5)
    await settle()
    expect(expectWhole(0)).toBe(15)
  })

  it('is not published, and growth is not asked for, while nobody has asked', async () => {
    const {output, write, published, asked} = open()
    await output.reopen(options)
    write(10)
    await output.refresh()
    expect([published, output.totals.stdout, asked]).toEqual([[], 10, ['hold 0 0', 'follow Infinity']])
  })

  it('is published from the totals on that are there when a watch resolves, though the log has grown unseen before', async () => {
    const {output, write, expectWhole} = open()
    await output.reopen(options)
    write(100)
    await output.watch(10_000)
    expect(output.totals.stdout).toBe(100)
    write(7)
    await settle()
    expect(expectWhole(100)).toBe(107)
  })

  it('of which two ask at once is published for each from its own totals on', async () => {
    const {output, write, expectWhole} = open()
    await output.reopen(options)
    write(100)
    const totals = await Promise.all([1, 2].map(() => output.watch(10_000).then(() => output.totals.stdout)))
    write(5)
    await settle()
    expect([totals, expectWhole(100)]).toEqual([[100, 100], 105])
  })

  it('has no gap and nothing twice behind a watch, whatever comes when', async () => {
    const step = fc.oneof(
      fc.record({type: fc.constant('write' as const), bytes: fc.integer({min: 1, max: 20})}),
      fc.record({type: fc.constant('refresh' as const)}),
      fc.record({type: fc.constant('watch' as const)}),
      fc.record({type: fc.constant('turn' as const)}),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, {maxLength: 12}), fc.array(step, {maxLength: 25}), async (before, after) => {
        const {output, write, expectWhole, logged} = open()
        await output.reopen(options)
        const pending: Promise<unknown>[] = []
        const run = async (steps: typeof after, isWatched: boolean) => {
          for (const one of steps) {
            if (one.type === 'write') write(one.bytes)
            else if (one.type === 'refresh') pending.push(output.refresh())
            else if (one.type === 'turn') await settle()
            else if (isWatched) pending.push(output.watch(10_000))
          }
        }
        await run(before, false)
        await output.watch(10_000)
        const from = output.totals.stdout
        await run(after, true)
        await Promise.all(pending)
        await settle()
        await settle()
        expect(expectWhole(from)).toBe(logged())
      }),
      {numRuns: 150},
    )
  })

  it('that is read on when its process is deleted ends nobody', async () => {
    const {output, write, asked} = open()
    await output.reopen(options)
    await output.watch(10_000)
    write(10)
    await output.remove()
    await settle()
    await settle()
    // What was read has been asked for again, and refused.
    expect(asked.slice(-3)).toEqual(['close', 'remove', 'follow 10'])
    expect([output.ended, output.totals.stdout]).toEqual([true, 10])
  })

  it('ends once, with all that was there', async () => {
    const {output, write, ends, expectWhole} = open()
    await output.reopen(options)
    await output.watch(10_000)
    write(10)
    await Promise.all([output.end(), output.end()])
    expect([ends, expectWhole(0), output.ended]).toEqual([[{position: 10, stdout: 10, stderr: 0}], 10, true])
  })

  it('that is still ending when the next process is made is waited for, and not asked for twice', async () => {
    const {output, ends, asked} = open()
    await output.reopen(options)
    await Promise.all([output.end(), output.renew()])
    expect(asked.filter((one) => one === 'drain')).toEqual(['drain'])
    expect([asked.slice(-2), ends.length]).toEqual([['close', 'remove'], 1])
  })

  it('whose log cannot be read is published again when somebody asks again', async () => {
    const {output, write, setUnreadable, expectWhole} = open()
    await output.reopen(options)
    await output.watch(10_000)
    setUnreadable(true)
    write(10)
    // A rejection that nobody handles fails this test, and would end the supervisor.
    await settle()
    await settle()
    setUnreadable(false)
    await output.watch(10_000)
    const from = output.totals.stdout
    write(5)
    await settle()
    expect([from, expectWhole(from)]).toEqual([10, 15])
  })

  it('that a reader needs is held, and let go', async () => {
    const {output, clock, asked} = open()
    await output.reopen(options)
    output.lease.take(30_000, {stdout: 5, stderr: 0})
    output.lease.take(0)
    expect(asked).toEqual(['hold 0 0', `hold ${clock.elapsed() + 30_000} 5`, 'hold 0 0'])
  })

  it('of processes that were left behind is discarded', async () => {
    const {output, asked} = open()
    await output.reopen(options)
    await output.remove(true)
    await output.remove()
    expect(asked.slice(-2)).toEqual(['discard', 'remove'])
  })
})

describe('input of a process', () => {
  it('is refused where there is none, and goes on from what was put down', async () => {
    const {output} = open()
    const account = {toCookie: () => new Uint8Array(), taken: () => {}}
    await expect(output.write(Buffer.from('x'), account)).rejects.toThrow(TallyError)
    expect(output.inputCookie).toEqual(new Uint8Array())
    await output.reopen(options)
    await output.write(Buffer.from('x'), account)
    expect(output.inputCookie).toEqual(Buffer.from('put down'))
  })
})
