import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {TallyError} from '../../../../src/kernel/errors.ts'
import type {InputAccount} from '../../../../src/stdio/input-writer.ts'
import type {InputRecord, InputState} from '../../../../src/supervisor/input/input-record.ts'
import {createInputSessions} from '../../../../src/supervisor/input/input-sessions.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

/** The kernel takes each piece whole. @param record of the supervisor before */
function createSessions(take: (bytes: Uint8Array) => Promise<void>, record = createMemoryRecord()) {
  const write = async (bytes: Uint8Array, account: InputAccount) => {
    account.attempt(bytes.length)
    await take(bytes)
    account.taken(bytes.length)
  }
  return createInputSessions({write, record, clock: createFakeClock(0)})
}

function createMemoryRecord(): InputRecord {
  let state: InputState = {sessions: []}
  return {
    read: () => state,
    write: (next) => {
      state = next
    },
  }
}

describe('input from clients', () => {
  it('is written once and in order, however often pieces are sent again', async () => {
    const pieces = fc.array(fc.uint8Array({minLength: 1, maxLength: 5}), {minLength: 1, maxLength: 10})
    await fc.assert(
      fc.asyncProperty(pieces, fc.array(fc.nat(9)), async (sent, again) => {
        const written: Uint8Array[] = []
        const sessions = createSessions(async (bytes) => void written.push(bytes))
        const all = Buffer.concat(sent)
        let offset = 0
        for (const piece of sent) {
          expect(await sessions.take({session: 's', offset, bytes: piece})).toBe(offset + piece.length)
          offset += piece.length
          for (const back of again) {
            const from = Math.max(0, offset - back)
            expect(await sessions.take({session: 's', offset: from, bytes: all.subarray(from, offset)})).toBe(offset)
          }
        }
        expect(Buffer.concat(written)).toEqual(all)
      }),
    )
  })

  it('is answered when it is written, also when it is sent again meanwhile', async () => {
    const {promise, resolve} = Promise.withResolvers<void>()
    const sessions = createSessions(() => promise)
    const answers: string[] = []
    const first = sessions.take({session: 's', offset: 0, bytes: Buffer.from('abc')}).then(() => answers.push('first'))
    const again = sessions.take({session: 's', offset: 0, bytes: Buffer.from('abc')}).then(() => answers.push('again'))
    await Promise.resolve()
    expect(answers).toEqual([])
    resolve()
    await Promise.all([first, again])
    expect(answers.toSorted()).toEqual(['again', 'first'])
  })

  it('refuses a gap, and keeps clients apart', async () => {
    const sessions = createSessions(async () => {})
    await sessions.take({session: 'a', offset: 0, bytes: Buffer.from('abc')})
    await expect(sessions.take({session: 'b', offset: 3, bytes: Buffer.from('x')})).rejects.toMatchObject({
      code: 'INPUT_GAP',
      details: {expected: 0, got: 3},
    })
  })
})

describe('input of one client', () => {
  it('is written in the order of its offsets, though earlier pieces still wait', async () => {
    const written: string[] = []
    let last = Promise.resolve()
    // One after the other, as an input writer does.
    const sessions = createSessions((bytes) => {
      last = last.then(async () => {
        await Promise.resolve()
        written.push(Buffer.from(bytes).toString())
      })
      return last
    })
    const taken = await Promise.all(
      ['ab', 'cd', 'ef'].map((text, index) => sessions.take({session: 's', offset: 2 * index, bytes: Buffer.from(text)})),
    )
    expect([written, taken.at(-1)]).toEqual([['ab', 'cd', 'ef'], 6])
  })

  it('that overlaps what was accepted is written from there on', async () => {
    const written: string[] = []
    const sessions = createSessions(async (bytes) => void written.push(Buffer.from(bytes).toString()))
    await sessions.take({session: 's', offset: 0, bytes: Buffer.from('abc')})
    expect(await sessions.take({session: 's', offset: 1, bytes: Buffer.from('bcde')})).toBe(5)
    expect(written).toEqual(['abc', 'de'])
  })

  it('begins at offset 0 in a new session, whatever an earlier session has sent', async () => {
    const written: string[] = []
    const sessions = createSessions(async (bytes) => void written.push(Buffer.from(bytes).toString()))
    await sessions.take({session: 'first', offset: 0, bytes: Buffer.from('abc')})
    expect(await sessions.take({session: 'second', offset: 0, bytes: Buffer.from('de')})).toBe(2)
    expect(await sessions.take({session: 'first', offset: 3, bytes: Buffer.from('f')})).toBe(4)
    expect(written).toEqual(['abc', 'de', 'f'])
  })

  it('is refused once the process reads no more, also when it is sent again', async () => {
    const sessions = createSessions(async () => {
      throw new TallyError('STDIN_CLOSED', 'the process reads no input any more')
    })
    const piece = {session: 's', offset: 0, bytes: Buffer.from('abc')}
    await expect(sessions.take(piece)).rejects.toMatchObject({code: 'STDIN_CLOSED'})
    await expect(sessions.take(piece)).rejects.toMatchObject({code: 'STDIN_CLOSED'})
  })
})

describe('input that another supervisor goes on with', () => {
  it('begins where the kernel has taken it, whatever is sent again', async () => {
    const record = createMemoryRecord()
    const written: string[] = []
    const write = async (bytes: Uint8Array) => void written.push(Buffer.from(bytes).toString())
    await createSessions(write, record).take({session: 's', offset: 0, bytes: Buffer.from('abc')})
    const next = createSessions(write, record)
    expect(await next.take({session: 's', offset: 0, bytes: Buffer.from('abcd')})).toBe(4)
    expect(await next.take({session: 't', offset: 0, bytes: Buffer.from('x')})).toBe(1)
    expect(written).toEqual(['abc', 'd', 'x'])
  })

  it('is refused where nobody knows whether it was taken, and that alone', async () => {
    const record = createMemoryRecord()
    const former = createSessions(async () => {}, record)
    await former.take({session: 's', offset: 0, bytes: Buffer.from('abc')})
    const killedMeanwhile = createSessions(() => new Promise(() => {}), record)
    void killedMeanwhile.take({session: 's', offset: 3, bytes: Buffer.from('de')})
    const next = createSessions(async () => {}, record)
    await expect(next.take({session: 's', offset: 3, bytes: Buffer.from('de')})).rejects.toMatchObject({
      code: 'INPUT_UNCERTAIN',
      details: {from: 3, to: 5},
    })
    expect(await next.take({session: 't', offset: 0, bytes: Buffer.from('x')})).toBe(1)
    const third = createSessions(async () => {}, record)
    await expect(third.take({session: 's', offset: 3, bytes: Buffer.from('de')})).rejects.toMatchObject({code: 'INPUT_UNCERTAIN'})
  })

  it('stays refused although the next supervisor was killed in the middle of the input of another client', async () => {
    const record = createMemoryRecord()
    const never = () => new Promise<void>(() => {})
    void createSessions(never, record).take({session: 's', offset: 0, bytes: Buffer.from('abc')})
    void createSessions(never, record).take({session: 't', offset: 0, bytes: Buffer.from('xy')})
    const third = createSessions(async () => {}, record)
    await expect(third.take({session: 't', offset: 0, bytes: Buffer.from('xy')})).rejects.toMatchObject({details: {from: 0, to: 2}})
    await expect(third.take({session: 's', offset: 0, bytes: Buffer.from('abc')})).rejects.toMatchObject({details: {from: 0, to: 3}})
    expect(await third.take({session: 'u', offset: 0, bytes: Buffer.from('z')})).toBe(1)
  })

  it('is answered after a while with what has been taken so far', async () => {
    const clock = createFakeClock(0)
    const write = async (_: Uint8Array, account: InputAccount) => {
      account.taken(2)
      await new Promise(() => {})
    }
    const sessions = createInputSessions({write, record: createMemoryRecord(), clock})
    const answer = sessions.take({session: 's', offset: 0, bytes: Buffer.from('abc')})
    clock.advance(2_000)
    expect(await answer).toBe(2)
  })
})
