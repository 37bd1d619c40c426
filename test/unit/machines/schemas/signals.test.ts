import {constants} from 'node:os'
import {describe, expect, it} from 'vitest'
import {isSignalName, parseSignal, signalNumbers, toSignalName, toSignalNumber} from '../../../../machines/schemas/signals.ts'

describe('signal numbers', () => {
  it.each(Object.entries(signalNumbers))('%s is %i on this machine too', (name, number) => {
    const known = new Map(Object.entries(constants.signals)).get(name)
    expect(known ?? number).toBe(number)
  })

  it('1 to 31 have one name each, which has that number', () => {
    for (let number = 1; number <= 31; number += 1) {
      const name = toSignalName(number)
      expect(name && toSignalNumber(name)).toBe(number)
    }
  })

  it('34 to 64 are counted from SIGRTMIN', () => {
    expect(toSignalName(34)).toBe('SIGRTMIN+0')
    expect(toSignalName(37)).toBe('SIGRTMIN+3')
    expect(toSignalName(64)).toBe('SIGRTMIN+30')
    expect(toSignalNumber('SIGRTMIN+3')).toBe(37)
    expect(toSignalNumber('SIGRTMIN+30')).toBe(64)
  })

  it.each([-1, 0, 32, 33, 65, 1.5, Number.NaN])('%d is not a signal', (number) => {
    expect(toSignalName(number)).toBeUndefined()
  })
})

describe('parseSignal', () => {
  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['TERM', 'SIGTERM'],
    ['term', 'SIGTERM'],
    ['sigterm', 'SIGTERM'],
    ['SigTerm', 'SIGTERM'],
    ['15', 'SIGTERM'],
    ['9', 'SIGKILL'],
    ['RTMIN+3', 'SIGRTMIN+3'],
    ['sigrtmin+30', 'SIGRTMIN+30'],
    ['36', 'SIGRTMIN+2'],
  ])('parses %s as %s', (text, name) => {
    expect(parseSignal(text)).toBe(name)
  })

  it.each([
    '',
    ' ',
    'SIG',
    'NOPE',
    'SIGSIGTERM',
    '0',
    '33',
    '65',
    '-9',
    '1e1',
    '0x9',
    '15 ',
    '15\n',
    'RTMIN+31',
    'RTMIN+-1',
    'RTMIN+',
    'constructor',
  ])('rejects %j', (text) => {
    expect(parseSignal(text)).toBeUndefined()
  })
})

describe('isSignalName', () => {
  it.each(['SIGTERM', 'SIGRTMIN+0', 'SIGRTMIN+30'])('accepts %s', (name) => expect(isSignalName(name)).toBe(true))

  it.each(['sigterm', 'TERM', '15', 'SIGRTMIN', 'SIGRTMIN+31', 'toString'])('rejects %s', (name) => expect(isSignalName(name)).toBe(false))
})
