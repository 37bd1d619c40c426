import {describe, expect, it} from 'vitest'
import {toErrorBody} from '../../../../src/kernel/errors.ts'
import {parseTerminalRequest} from '../../../../src/web/server/terminal-request.ts'

const parse = (query: string) => parseTerminalRequest(new URLSearchParams(query))

describe('the query of a terminal request', () => {
  it.each([
    ['mode=exec', {mode: 'exec', args: ['sh'], columns: 80, rows: 24}],
    ['mode=exec&args=["ls","-l"]&columns=100&rows=50', {mode: 'exec', args: ['ls', '-l'], columns: 100, rows: 50}],
    ['mode=attach&columns=100', {mode: 'attach', columns: 100, rows: 24}],
    ['mode=attach&exec=shell', {mode: 'attach', exec: 'shell', columns: 80, rows: 24}],
  ])('is parsed: %s', (query, expected) => {
    expect(parse(query)).toEqual(expected)
  })

  it.each([
    '',
    'mode=other',
    'mode=exec&args=ls',
    'mode=exec&args=[]',
    'mode=exec&args=[1]',
    'mode=exec&args={"a":1}',
    'mode=exec&args=["a\\u0000"]',
    'mode=exec&columns=0',
    'mode=exec&columns=-1',
    'mode=exec&columns=70000',
    'mode=exec&rows=1e3',
    'mode=attach&args=["sh"]',
    'mode=attach&exec=a.b',
  ])('is rejected: %s', (query) => {
    expect.assertions(1)
    try {
      parse(query)
    } catch (error) {
      expect(toErrorBody(error).code).toBe('INVALID_REQUEST')
    }
  })
})
