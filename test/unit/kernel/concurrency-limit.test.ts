import {describe, expect, it} from 'vitest'
import {createConcurrencyLimit} from '../../../src/kernel/concurrency-limit.ts'

describe('a concurrency limit', () => {
  it('lets so many through at once, and the others in their order', async () => {
    const limited = createConcurrencyLimit(2)
    const begun: number[] = []
    const ends: (() => void)[] = []
    const all = [0, 1, 2, 3].map((index) =>
      limited(async () => {
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
