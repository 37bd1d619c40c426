import {expect, it} from 'vitest'
import {decideReplacement, type Replacement} from '../../../../machines/charts/restart-intensity.ts'

const limits = {most: 3, periodMs: 1_000, delayMs: 20} as const

/** A supervisor that dies as soon as it may be replaced. @returns when it was replaced, and what was said in the end */
function dieAgainAndAgain(fromMs: number, former: readonly number[] = []): {readonly at: readonly number[]; readonly last: Replacement} {
  let replacements = former
  for (let nowMs = fromMs; ; ) {
    const replacement = decideReplacement(replacements, nowMs, limits)
    if (replacement.type === 'never') return {at: replacements, last: replacement}
    if (replacement.type === 'now') replacements = [...replacements, nowMs]
    else nowMs = replacement.atMs
  }
}

it('replaces the first at once, the next ones with a delay that is doubled, and then none', () => {
  expect(dieAgainAndAgain(500)).toEqual({at: [500, 520, 560], last: {type: 'never'}})
})

it('says when one may come that is too early now', () => {
  expect(decideReplacement([500], 501, limits)).toEqual({type: 'later', atMs: 520})
  expect(decideReplacement([500], 520, limits)).toEqual({type: 'now'})
})

it('forgets replacements after the period', () => {
  const {at} = dieAgainAndAgain(500)
  expect(decideReplacement(at, 1_499, limits)).toEqual({type: 'never'})
  expect(decideReplacement(at, 1_500, limits)).toEqual({type: 'now'})
  expect(decideReplacement(at, 2_000, limits)).toEqual({type: 'now'})
  expect(decideReplacement([500], 1_500, limits)).toEqual({type: 'now'})
})

it('gives up after ten within a minute, if nothing else was said', () => {
  const ten = Array.from({length: 10}, (_, index) => index * 5_000)
  expect(decideReplacement(ten, 59_999)).toEqual({type: 'never'})
  expect(decideReplacement(ten.slice(1), 59_999)).toEqual({type: 'now'})
  expect(decideReplacement(ten, 60_000)).toEqual({type: 'now'})
})
