import {InvalidArgumentError} from 'commander'
import {describe, expect, it} from 'vitest'
import {parseHttpOption} from '../../../src/cli/http-option.ts'

describe('--http', () => {
  it.each([
    ['off', 'off'],
    ['7070', {host: '127.0.0.1', port: 7070}],
    ['127.0.0.1:7070', {host: '127.0.0.1', port: 7070}],
    ['127.0.0.1:0', {host: '127.0.0.1', port: 0}],
    ['[::1]:7070', {host: '::1', port: 7070}],
    ['localhost:7070', {host: 'localhost', port: 7070}],
  ])('is %s', (text, expected) => {
    expect(parseHttpOption(text)).toEqual(expected)
  })

  it.each(['', 'on', ':7070', '127.0.0.1', '127.0.0.1:', '127.0.0.1:70000', 'http://127.0.0.1:7070', '[nonsense]:1', '::1:7070', 'a b:1'])(
    'is not %s',
    (text) => {
      expect(() => parseHttpOption(text)).toThrow(InvalidArgumentError)
    },
  )
})
