import {describe, expect, it} from 'vitest'
import {toContainerView} from '../../../../machines/views/container-view.ts'
import {foldEvents} from '../../../../machines/ledger/ledger.ts'
import type {ContainerView} from '../../../../machines/views/view.ts'
import {findDifferences, flatten} from '../../../../src/web/page/model/flatten.ts'
import {parseRoute, toPath} from '../../../../src/web/page/model/route-path.ts'
import {nearestTo, toPositions, toRestMs} from '../../../../src/web/page/model/scale.ts'
import {appendSample, type Usage} from '../../../../src/web/page/model/usage.ts'
import {compareViews, matchesFilter} from '../../../../src/web/page/model/view-filter.ts'
import {readHistory} from './recorded.ts'

const events = readHistory('0.1.0/whole-life.jsonl')

describe('routes of the page', () => {
  it.each([
    ['/', '', {page: 'overview'}],
    ['/c/n1/default/web', '', {page: 'container', address: {node: 'n1', namespace: 'default', id: 'web'}}],
    ['/c/n1/default/web/u-1', '?at=7', {page: 'container', address: {node: 'n1', namespace: 'default', id: 'web'}, uid: 'u-1', at: 7}],
  ] as const)('%s%s is parsed and written', (path, search, route) => {
    expect(parseRoute(path, search)).toEqual(route)
    expect(toPath(route)).toBe(path + search)
  })

  it.each(['/x', '/c', '/c/n1/default', '/c/n1/default/../web', '/c/n1/default/web/u/more', '/c/n 1/default/web'])(
    '%s leads nowhere',
    (path) => {
      expect(parseRoute(path, '')).toEqual({page: 'unknown'})
    },
  )

  it('ignores an invalid moment', () => {
    expect(parseRoute('/c/n1/default/web', '?at=-1')).not.toHaveProperty('at')
    expect(parseRoute('/c/n1/default/web', '?at=now')).not.toHaveProperty('at')
  })
})

describe('differences', () => {
  it('name added, changed and removed values by path', () => {
    const before = {a: 1, b: {c: ['x'], d: 'old'}, gone: true}
    const after = {a: 1, b: {c: ['x', 'y'], d: 'new'}, e: null, f: undefined}
    expect(findDifferences(before, after)).toEqual([
      {path: 'b.c', before: 'x', after: 'x y'},
      {path: 'b.d', before: 'old', after: 'new'},
      {path: 'e', before: undefined, after: 'null'},
      {path: 'gone', before: 'true', after: undefined},
    ])
    expect(flatten({list: []})).toEqual([['list', 'none']])
  })
})

describe('the timeline', () => {
  it('begins at 0, ends at 1, and increases', () => {
    const positions = toPositions(events)
    expect(positions).toHaveLength(events.length)
    expect(positions[0]).toBe(0)
    expect(positions.at(-1)).toBeCloseTo(1)
    expect(positions.toSorted((a, b) => a - b)).toEqual(positions)
    expect(toPositions([])).toEqual([])
    expect(toPositions(events.slice(0, 1))).toEqual([0])
  })

  it('finds the nearest event', () => {
    expect(nearestTo([0, 0.5, 1], 0.3)).toBe(1)
    expect(nearestTo([0, 0.5, 1], 2)).toBe(2)
  })

  it('shows an event longer before a longer gap, up to a limit', () => {
    expect(toRestMs(0)).toBe(450)
    expect(toRestMs(1_000)).toBeGreaterThan(toRestMs(10))
    expect(toRestMs(1e12)).toBe(1_600)
  })
})

describe('the list of containers', () => {
  const base = toContainerView(foldEvents(events.slice(0, 4)))
  const view = (change: Partial<ContainerView>): ContainerView => ({...(base ?? fail()), ...change})
  const filter = (text: string, ...states: readonly ('running' | 'paused' | 'stopped')[]) => ({text, states: new Set(states)})

  it('contains containers that match all words in any field', () => {
    const web = view({id: 'web', args: ['nginx', '-g'], labels: {tier: 'front'}})
    expect(matchesFilter(web, filter('web NGINX'))).toBe(true)
    expect(matchesFilter(web, filter('tier=front'))).toBe(true)
    expect(matchesFilter(web, filter('web apache'))).toBe(false)
  })

  it('contains containers in one of the chosen states; a paused container is not running', () => {
    const paused = view({state: 'running', pausedAt: '2026-01-02T03:04:05Z'})
    expect(matchesFilter(paused, filter('', 'paused', 'stopped'))).toBe(true)
    expect(matchesFilter(paused, filter('', 'running'))).toBe(false)
  })

  it('is sorted, with numbers in names compared as numbers', () => {
    const names = ['b', 'a10', 'a9'].map((id) => view({id}))
    expect(names.toSorted(compareViews('name', () => undefined)).map(({id}) => id)).toEqual(['a9', 'a10', 'b'])
    const usage: Record<string, Usage> = {b: usageOf(0.5)}
    expect(names.toSorted(compareViews('cpu', ({id}) => usage[id])).map(({id}) => id)).toEqual(['b', 'a9', 'a10'])
  })
})

describe('usage', () => {
  it('is the difference between two samples', () => {
    const first = appendSample(undefined, sample('2026-01-02T03:04:05Z', 0))
    const second = appendSample(first, sample('2026-01-02T03:04:07Z', 1e9))
    expect(first.cpu).toEqual([])
    expect(second.cpu).toEqual([0.5])
    expect(second.memory).toEqual([1024, 1024])
    expect(appendSample(second, sample('2026-01-02T03:04:08Z', 5)).cpu).toEqual([0.5])
  })
})

function sample(time: string, usageNs: number) {
  return {time, state: 'running', cpu: {usageNs}, memory: {usageBytes: 1024}} as const
}

function usageOf(cpu: number): Usage {
  return {cpu: [cpu], memory: [], latest: sample('2026-01-02T03:04:05Z', 0)}
}

function fail(): never {
  throw new Error('expected the recorded container to have a view')
}
