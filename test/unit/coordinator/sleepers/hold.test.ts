import {expect, it} from 'vitest'
import {assertRoom, sizeOfAll, usualHoldLimits} from '../../../../src/coordinator/sleepers/hold.ts'

const request = (bytes: number) => ({subject: 's', reply: undefined, headers: undefined, data: new Uint8Array(bytes)})
const exhausted = expect.objectContaining({code: 'HOST_EXHAUSTED', kind: 'unavailable'})

it('a request is held as long as there is room for it', () => {
  expect(() => assertRoom(request(1), {held: [], bytesInAll: 0}, usualHoldLimits)).not.toThrow()
})

it('a request is refused when too many wait, or too large ones', () => {
  const [one] = [request(1_000)]
  expect(() => assertRoom(one, {held: [one, one], bytesInAll: 0}, {...usualHoldLimits, mostRequests: 2})).toThrow(exhausted)
  expect(() => assertRoom(one, {held: [one], bytesInAll: 0}, {...usualHoldLimits, mostBytes: sizeOfAll([one])})).toThrow(exhausted)
})

it('a request is refused when too much waits for other containers', () => {
  const full = {held: [], bytesInAll: usualHoldLimits.mostBytesInAll}
  expect(() => assertRoom(request(1), full, usualHoldLimits)).toThrow(exhausted)
})
