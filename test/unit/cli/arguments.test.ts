import {describe, expect, it} from 'vitest'
import {parseCount, parseSignalName} from '../../../src/cli/arguments.ts'
import {addFilter} from '../../../src/cli/events.ts'

describe('numbers and names', () => {
  it('are parsed', () => {
    expect([parseCount('0'), parseCount('12')]).toEqual([0, 12])
    expect([parseSignalName('term'), parseSignalName('9'), parseSignalName('SIGHUP')]).toEqual(['SIGTERM', 'SIGKILL', 'SIGHUP'])
  })

  it.each(['-1', '1.5', 'x', '', '99999999999999999999'])('a count of %j is refused', (text) => {
    expect(() => parseCount(text)).toThrow(/expected a whole number/)
  })

  it.each(['0', 'FOO', '65', ''])('the signal %j is refused', (text) => {
    expect(() => parseSignalName(text)).toThrow(/expected a signal such as/)
  })
})

describe('a filter of events', () => {
  it('combines several options', () => {
    expect(addFilter('id=web', addFilter('type=container.exited', {}))).toEqual({id: 'web', type: 'container.exited'})
    expect(addFilter('type=io.tallyman.container.exited', {})).toEqual({type: 'container.exited'})
  })

  it.each(['type=exited', 'id=a.b', 'id', 'colour=red', ''])('%j is refused', (text) => {
    expect(() => addFilter(text, {})).toThrow(/expected/)
  })
})
