import fc from 'fast-check'
import {describe, expect, it} from 'vitest'
import {createGate} from '../../../src/supervisor/gate.ts'
import {createInputSessions} from '../../../src/supervisor/input-sessions.ts'

describe('input from clients', () => {
  it('is written once and in order, however often pieces are sent again', async () => {
    const pieces = fc.array(fc.uint8Array({minLength: 1, maxLength: 5}), {minLength: 1, maxLength: 10})
    await fc.assert(
      fc.asyncProperty(pieces, fc.array(fc.nat(9)), async (sent, again) => {
        const written: Uint8Array[] = []
        const sessions = createInputSessions(async (bytes) => void written.push(bytes))
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
    const sessions = createInputSessions(() => promise)
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
    const sessions = createInputSessions(async () => {})
    await sessions.take({session: 'a', offset: 0, bytes: Buffer.from('abc')})
    await expect(sessions.take({session: 'b', offset: 3, bytes: Buffer.from('x')})).rejects.toMatchObject({
      code: 'INPUT_GAP',
      details: {expected: 0, got: 3},
    })
  })
})

describe('a gate', () => {
  it('lets so many through at once, and the others in their order', async () => {
    const gate = createGate(2)
    const begun: number[] = []
    const ends: (() => void)[] = []
    const all = [0, 1, 2, 3].map((index) =>
      gate(async () => {
        begun.push(index)
        await new Promise<void>((resolve) => ends.push(resolve))
        if (index === 1) throw new Error('failed')
        return index
      }).catch(() => 'failed'),
    )
    for (const expected of [
      [0, 1],
      [0, 1, 2],
      [0, 1, 2, 3],
    ]) {
      await new Promise((resolve) => setImmediate(resolve))
      expect(begun).toEqual(expected)
      ends.shift()?.()
    }
    await new Promise((resolve) => setImmediate(resolve))
    for (const end of ends) end()
    expect(await Promise.all(all)).toEqual([0, 'failed', 2, 3])
  })
})
