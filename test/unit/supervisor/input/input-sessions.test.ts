import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {TallyError} from '../../../../src/kernel/errors.ts'
import {mostInputBytes} from '../../../../src/shim/client/frames.ts'
import type {InputAccount} from '../../../../src/stdio/process-stdio-port.ts'
import {decodeInputCookie} from '../../../../src/supervisor/input/input-cookie.ts'
import {createInputSessions, type InputSessions} from '../../../../src/supervisor/input/input-sessions.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

interface FakeShim {
  /** What it has accepted last, with its cookie. */
  cookie: Uint8Array
  /** A supervisor that goes on from what the shim has. */
  next(take?: Take): InputSessions
}

/** Resolves when the kernel has taken it. */
type Take = (bytes: Uint8Array) => Promise<void>

/** Accepts each piece whole, in one step with its cookie, one after the other. */
function createShim(): FakeShim {
  const shim: FakeShim = {
    cookie: new Uint8Array(),
    next: (take = async () => {}) => {
      let last: Promise<void> = Promise.resolve()
      const write = async (bytes: Uint8Array, account: InputAccount) => {
        last = last.then(async () => {
          shim.cookie = account.toCookie(bytes.length)
          await take(bytes)
          account.taken(bytes.length)
        })
        await last
      }
      return createInputSessions({write, former: decodeInputCookie(shim.cookie), clock: createFakeClock(0)})
    },
  }
  return shim
}

function createSessions(take: Take): InputSessions {
  return createShim().next(take)
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
    const sessions = createSessions(async (bytes) => {
      await Promise.resolve()
      written.push(Buffer.from(bytes).toString())
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
  it('begins behind what the shim has accepted, whatever is sent again', async () => {
    const shim = createShim()
    const written: string[] = []
    const take = async (bytes: Uint8Array) => void written.push(Buffer.from(bytes).toString())
    await shim.next(take).take({session: 's', offset: 0, bytes: Buffer.from('abc')})
    const next = shim.next(take)
    expect(await next.take({session: 's', offset: 0, bytes: Buffer.from('abcd')})).toBe(4)
    expect(await next.take({session: 't', offset: 0, bytes: Buffer.from('x')})).toBe(1)
    expect(written).toEqual(['abc', 'd', 'x'])
  })

  it('is not sent again when the kernel had not taken all of it: the shim has it', async () => {
    const shim = createShim()
    const killed = shim.next(() => new Promise(() => {}))
    void killed.take({session: 's', offset: 0, bytes: Buffer.from('abc')})
    await new Promise((resolve) => setImmediate(resolve))
    const written: string[] = []
    const next = shim.next(async (bytes) => void written.push(Buffer.from(bytes).toString()))
    expect(await next.take({session: 's', offset: 0, bytes: Buffer.from('abcde')})).toBe(5)
    expect(written).toEqual(['de'])
  })

  it('is sent again when the shim has not accepted it', async () => {
    const shim = createShim()
    const written: string[] = []
    // The first is on its way to the kernel, and the second waits for it in the supervisor that is killed.
    const killed = shim.next(() => new Promise(() => {}))
    void killed.take({session: 's', offset: 0, bytes: Buffer.from('abc')})
    void killed.take({session: 's', offset: 3, bytes: Buffer.from('de')})
    await new Promise((resolve) => setImmediate(resolve))
    const next = shim.next(async (bytes) => void written.push(Buffer.from(bytes).toString()))
    expect(await next.take({session: 's', offset: 3, bytes: Buffer.from('de')})).toBe(5)
    expect(written).toEqual(['de'])
  })

  it('is written once and in order, in whichever pieces, and wherever supervisors are killed', async () => {
    const step = fc.record({
      bytes: fc.uint8Array({minLength: 1, maxLength: 6}),
      isKilled: fc.boolean(),
      again: fc.nat(8),
      session: fc.nat(2),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, {minLength: 1, maxLength: 20}), async (steps) => {
        const shim = createShim()
        const written: Uint8Array[] = []
        const take: Take = async (bytes) => void written.push(bytes)
        let supervisor = shim.next(take)
        const sent = new Map<number, Buffer>()
        for (const {bytes, isKilled, again, session} of steps) {
          const all = Buffer.concat([sent.get(session) ?? Buffer.alloc(0), bytes])
          sent.set(session, all)
          const from = Math.max(0, all.length - bytes.length - again)
          expect(await supervisor.take({session: `${session}`, offset: from, bytes: all.subarray(from)})).toBe(all.length)
          if (isKilled) supervisor = shim.next(take)
        }
        expect(Buffer.concat(written)).toEqual(Buffer.concat(steps.map(({bytes}) => bytes)))
      }),
    )
  })

  it('of the client that has sent nothing for the longest time is forgotten first', async () => {
    const shim = createShim()
    const former = shim.next()
    for (let index = 0; index < 17; index += 1) await former.take({session: `${index}`, offset: 0, bytes: Buffer.from('abc')})
    const next = shim.next()
    await expect(next.take({session: '0', offset: 3, bytes: Buffer.from('d')})).rejects.toMatchObject({code: 'INPUT_GAP'})
    expect(await next.take({session: '1', offset: 3, bytes: Buffer.from('d')})).toBe(4)
  })
})

describe('input that is not taken yet', () => {
  it('is answered after a while with what has been taken so far', async () => {
    const clock = createFakeClock(0)
    const write = async (_: Uint8Array, account: InputAccount) => {
      account.toCookie(2)
      account.taken(2)
      account.toCookie(1)
      await new Promise(() => {})
    }
    const sessions = createInputSessions({write, former: [], clock})
    const answer = sessions.take({session: 's', offset: 0, bytes: Buffer.from('abc')})
    clock.advance(2_000)
    expect(await answer).toBe(2)
  })

  it('is put down as accepted only as far as it is on its way', async () => {
    const cookies: Uint8Array[] = []
    const write = async (bytes: Uint8Array, account: InputAccount) => {
      for (let at = 0; at < bytes.length; at += mostInputBytes) cookies.push(account.toCookie(Math.min(mostInputBytes, bytes.length - at)))
    }
    await createInputSessions({write, former: [], clock: createFakeClock(0)}).take({session: 's', offset: 0, bytes: Buffer.alloc(40_000)})
    expect(cookies.map((cookie) => decodeInputCookie(cookie)[0]?.[1])).toEqual([16_384, 32_768, 40_000])
  })
})
