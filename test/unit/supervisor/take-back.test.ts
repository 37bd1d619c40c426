import {describe, expect, it} from 'vitest'
import {planTakeBack} from '../../../src/supervisor/take-back.ts'
import {happen, toHistory} from '../../support/given.ts'

const life = toHistory([happen.createRequested, happen.created, happen.startRequested, happen.started, happen.exited])

describe('what a journal takes back from the stream', () => {
  it('is everything that continues it', () => {
    expect(planTakeBack(life.slice(0, 2), life.slice(2))).toEqual({continuing: life.slice(2), conflict: undefined})
    expect(planTakeBack(life, [])).toEqual({continuing: [], conflict: undefined})
  })

  it('is taken once, though the stream has it twice', () => {
    const [third, ...rest] = life.slice(2)
    expect(planTakeBack(life.slice(0, 2), third ? [third, third, ...rest] : []).continuing).toEqual(life.slice(2))
  })

  it('ends before a gap, and says so', () => {
    expect(planTakeBack(life.slice(0, 2), [...life.slice(2, 3), ...life.slice(4)])).toEqual({
      continuing: life.slice(2, 3),
      conflict: 'expected sequence 4, got 5 (container.exited)',
    })
  })

  it('ends before what is impossible, and says so', () => {
    const impossible = toHistory([happen.resumed], 3)
    expect(planTakeBack(life.slice(0, 2), impossible)).toEqual({
      continuing: [],
      conflict: 'container.resumed is impossible in state created',
    })
  })
})
