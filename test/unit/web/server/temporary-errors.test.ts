import {expect, test} from 'vitest'
import {TallyError} from '../../../../src/kernel/errors.ts'
import {createTemporaryErrors} from '../../../../src/web/server/temporary-errors.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

const unreachable = new TallyError('NATS_UNREACHABLE', 'the connection to NATS was lost')
const notFound = new TallyError('CONTAINER_NOT_FOUND', 'no container web')

test('a container without a responder does not exist, unless NATS was unreachable within the last ten seconds', () => {
  const clock = createFakeClock(1_000_000)
  const errors = createTemporaryErrors(clock)
  expect(errors.isTemporary(notFound)).toBe(false)
  expect(errors.isTemporary(unreachable)).toBe(true)
  clock.advance(9_999)
  expect(errors.isTemporary(notFound)).toBe(true)
  clock.advance(1)
  expect(errors.isTemporary(notFound)).toBe(false)
})

test('each further failure to reach NATS extends the time, and other errors are never temporary', () => {
  const clock = createFakeClock(1_000_000)
  const errors = createTemporaryErrors(clock)
  expect(errors.isTemporary(unreachable)).toBe(true)
  clock.advance(8_000)
  expect(errors.isTemporary(new TallyError('TIMED_OUT', 'no response'))).toBe(true)
  clock.advance(8_000)
  expect([errors.isTemporary(notFound), errors.isTemporary(new Error('broken'))]).toEqual([true, false])
})
