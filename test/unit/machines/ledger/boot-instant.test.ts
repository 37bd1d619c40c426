import {expect, it} from 'vitest'
import {spanMs} from '../../../../machines/ledger/boot-instant.ts'

const time = (ms: number) => new Date(ms).toISOString()

it('a span is measured by the boot clock, whatever the wall clock says', () => {
  expect(spanMs({time: time(10_000), boot: {bootId: 'a', ms: 5}}, {time: time(0), boot: {bootId: 'a', ms: 12}})).toBe(7)
})

it('a span across a boot, or in an older ledger, is measured by the wall clock', () => {
  expect(spanMs({time: time(1_000), boot: {bootId: 'a', ms: 5}}, {time: time(3_000), boot: {bootId: 'b', ms: 1}})).toBe(2_000)
  expect(spanMs({time: time(1_000)}, {time: time(3_000), boot: {bootId: 'b', ms: 1}})).toBe(2_000)
})
