import {describe, expect, it} from 'vitest'
import {createInputQueue} from '../../../../src/web/server/input-queue.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

function open() {
  const written: string[] = []
  const calls: string[] = []
  let take: () => void = () => {}
  let refuse: (error: Error) => void = () => {}
  const queue = createInputQueue({
    write: (bytes) => {
      written.push(Buffer.from(bytes).toString())
      return new Promise((resolve, reject) => {
        take = resolve
        refuse = reject
      })
    },
    source: {pause: () => calls.push('pause'), resume: () => calls.push('resume')},
    onFailed: (error) => calls.push(`failed ${String(error)}`),
  })
  return {
    written,
    calls,
    push: (text: string) => queue.push(Buffer.from(text)),
    take: async () => {
      take()
      await turn()
    },
    refuse: async () => {
      refuse(new Error('no'))
      await turn()
    },
  }
}

describe('the input queue of a process', () => {
  it('sends one piece at a time, and joins the pieces that wait', async () => {
    const {written, push, take} = open()
    for (const text of ['a', 'b', 'c']) push(text)
    expect(written).toEqual(['a'])
    await take()
    expect(written).toEqual(['a', 'bc'])
    await take()
    push('d')
    expect(written).toEqual(['a', 'bc', 'd'])
  })

  it('stops reading while much input waits', async () => {
    const {calls, push, take} = open()
    push('a')
    push('x'.repeat(64 * 1024 - 1))
    expect(calls).toEqual([])
    push('y')
    expect(calls).toEqual(['pause'])
    await take()
    expect(calls.at(-1)).toBe('resume')
    await take()
    push('z')
    expect(calls.filter((call) => call === 'pause')).toHaveLength(1)
  })

  it('accepts no input after a failure', async () => {
    const {written, calls, push, refuse} = open()
    push('a')
    push('b')
    await refuse()
    push('c')
    expect({written, calls}).toEqual({written: ['a'], calls: ['resume', 'failed Error: no']})
  })
})
