import {describe, expect, it} from 'vitest'
import {type Activity, judgeIdleness} from '../../../../src/supervisor/sleep/idleness.ts'

const nothing: Activity = {open: 0, lastMs: 0, isRecorded: true, attendedUntilMs: undefined, dues: []}
const judge = (activity: Partial<Activity>, nowMs = 10_000) => judgeIdleness({...nothing, ...activity}, {nowMs, afterMs: 1_000})

describe('a supervisor is idle', () => {
  it('when nothing is under way, and nothing has happened for long enough', () => {
    expect(judge({})).toEqual({type: 'idle', dueMs: undefined})
    expect(judge({lastMs: 9_000})).toEqual({type: 'idle', dueMs: undefined})
  })
  it('until the first of what is due, when that is far enough away', () => {
    expect(judge({dues: [50_000, 12_000, 90_000]})).toEqual({type: 'idle', dueMs: 12_000})
  })
  it('when whoever was attached has gone', () => {
    expect(judge({attendedUntilMs: 10_000})).toEqual({type: 'idle', dueMs: undefined})
  })
})

describe('a supervisor is busy', () => {
  it('while an effect or a request is open', () => {
    expect(judge({open: 1})).toEqual({type: 'busy', untilMs: 11_000})
  })
  it('while the stream or the journal lacks something', () => {
    expect(judge({isRecorded: false})).toEqual({type: 'busy', untilMs: 11_000})
  })
  it('while somebody follows its output', () => {
    expect(judge({attendedUntilMs: 10_001})).toEqual({type: 'busy', untilMs: 11_000})
  })
  it('for a while after the last thing that happened', () => {
    expect(judge({lastMs: 9_001})).toEqual({type: 'busy', untilMs: 10_001})
  })
  it('until what is due soon is over', () => {
    expect(judge({dues: [10_999]})).toEqual({type: 'busy', untilMs: 11_999})
    expect(judge({dues: [9_999]})).toEqual({type: 'busy', untilMs: 10_999})
    expect(judge({dues: [11_000]})).toEqual({type: 'idle', dueMs: 11_000})
  })
})
