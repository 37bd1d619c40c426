import {describe, expect, it} from 'vitest'
import {
  assertNever,
  errorKinds,
  errorTable,
  fromFailure,
  isErrorBody,
  isErrorCode,
  TallyError,
  toErrorBody,
} from '../../../src/kernel/errors.ts'

const body = {code: 'CONTAINER_NOT_FOUND', kind: 'not_found', message: 'no web', details: {id: 'web'}}

describe('an error of the table', () => {
  it('has the kind of its code', () => {
    const cause = new Error('below')
    const error = new TallyError('JOURNAL_LOCKED', 'locked', {details: {path: '/j'}, cause})
    expect(error).toMatchObject({
      name: 'TallyError',
      code: 'JOURNAL_LOCKED',
      kind: 'conflict',
      message: 'locked',
      details: {path: '/j'},
      cause,
    })
    expect(error).toBeInstanceOf(Error)
  })

  it('has empty details and no cause by default', () => {
    const error = new TallyError('TIMED_OUT', 'late')
    expect(error.details).toEqual({})
    expect('cause' in error).toBe(false)
  })

  it('has a kind that tells the caller what to do', () => {
    for (const {kind, meaning} of Object.values(errorTable)) {
      expect(Object.hasOwn(errorKinds, kind)).toBe(true)
      expect(meaning).toMatch(/^\S.{10,}\.$/)
    }
  })

  it('is recognised after it crossed the wire', () => {
    const error = new TallyError('ILLEGAL_COMMAND', 'not now', {details: {state: 'running'}})
    const wire: unknown = JSON.parse(JSON.stringify(toErrorBody(error)))
    expect(isErrorBody(wire)).toBe(true)
    expect(isErrorBody(wire) && fromFailure(wire)).toEqual(error)
  })
})

describe('an error of the kernel', () => {
  const from = (code: string) => Object.assign(new Error(`${code}: no, write`), {code, syscall: 'write'})

  it('is attributed to the host when its resources are exhausted, otherwise to Tallyman', () => {
    expect(toErrorBody(from('ENOSPC'))).toEqual({code: 'HOST_EXHAUSTED', kind: 'unavailable', message: 'ENOSPC: no, write', details: {}})
    expect(toErrorBody(from('EBADF'))).toMatchObject({code: 'INTERNAL', kind: 'bug'})
    expect(toErrorBody(Object.assign(new Error('no call'), {code: 'EAGAIN'}))).toMatchObject({code: 'INTERNAL'})
  })
})

describe('isErrorBody', () => {
  it.each([body, {...body, details: {}}, {...body, more: 1}, new TallyError('INTERNAL', 'x')])('recognises %j', (value) => {
    expect(isErrorBody(value)).toBe(true)
  })

  it.each([
    undefined,
    null,
    5,
    'CONTAINER_NOT_FOUND',
    [],
    {},
    {...body, code: 'NO_SUCH_CODE'},
    {...body, code: 'toString'},
    {...body, code: 5},
    {...body, kind: 'bug'},
    {...body, kind: undefined},
    {...body, message: 5},
    new Error('x'),
  ])('does not recognise %j', (value) => {
    expect(isErrorBody(value)).toBe(false)
  })

  it('recognises only codes of the table', () => {
    expect(Object.keys(errorTable).every(isErrorCode)).toBe(true)
    for (const value of ['hasOwnProperty', '', undefined, null, {}]) expect(isErrorCode(value)).toBe(false)
  })
})

describe('toErrorBody', () => {
  it('has exactly the four fields of an error', () => {
    expect(toErrorBody({...body, stack: 'secret'})).toStrictEqual(body)
    expect(toErrorBody({code: body.code, kind: body.kind, message: body.message})).toStrictEqual({...body, details: {}})
  })

  it.each<[unknown, string]>([
    [new TypeError('x is undefined'), 'x is undefined'],
    ['just text', 'just text'],
    [undefined, 'undefined'],
    [null, 'null'],
  ])('reports %s as an internal error', (error, message) => {
    expect(toErrorBody(error)).toStrictEqual({code: 'INTERNAL', kind: 'bug', message, details: {}})
  })
})

describe('a failure of the ledger', () => {
  it('becomes the error with its code', () => {
    expect(fromFailure({...body})).toMatchObject({code: 'CONTAINER_NOT_FOUND', kind: 'not_found', message: 'no web', details: {id: 'web'}})
  })

  it('with an unknown code keeps code, message and details in the text', () => {
    expect(fromFailure({code: 'QUANTUM_FAILED', message: 'spooky', details: {at: 7}})).toMatchObject({
      code: 'INTERNAL',
      kind: 'bug',
      message: 'QUANTUM_FAILED: spooky',
      details: {at: 7},
    })
  })
})

describe('assertNever', () => {
  it('throws an error that names the value', () => {
    const value: unknown = {type: 'surprise'}
    expect(() => assertNever(value as never)).toThrow('unexpected value {"type":"surprise"}')
  })
})
