import {describe, expect, it} from 'vitest'
import type {StatsReply} from '../../../machines/views/stats.ts'
import {formatBytes, formatStats, toCpuPercent, toMemoryPercent} from '../../../src/cli/format-stats.ts'

const before: StatsReply = {time: '2026-01-02T03:04:05.000Z', state: 'running', cpu: {usageNs: 1e9}}
const sample: StatsReply = {
  time: '2026-01-02T03:04:07.000Z',
  state: 'running',
  cpu: {usageNs: 4e9},
  memory: {usageBytes: 64 * 1024 ** 2, workingSetBytes: 16 * 1024 ** 2, limitBytes: 64 * 1024 ** 2},
  pids: {current: 3},
  io: {readBytes: 1500, writeBytes: 0, readOps: 1, writeOps: 0},
}

describe('samples', () => {
  it('are a table, with shares of the time between two samples and of the limit', () => {
    expect(formatStats([{id: 'web', sample, before}])).toBe(
      [
        'CONTAINER   CPU %     MEM USAGE / LIMIT   MEM %    BLOCK I/O       PIDS',
        'web         150.00%   16MiB / 64MiB       25.00%   1.465KiB / 0B   3',
      ].join('\n'),
    )
  })

  it('have no share without an earlier sample, without a limit, or when no time has passed', () => {
    expect(toCpuPercent({sample, before: undefined})).toBeUndefined()
    expect(toCpuPercent({sample, before: {...before, time: sample.time}})).toBeUndefined()
    expect(toMemoryPercent({...sample, memory: {usageBytes: 5}})).toBeUndefined()
  })

  it('have dashes for unknown values, and the last one says that it is the last', () => {
    const [, row] = formatStats([{id: 'web', sample: {time: sample.time, state: 'stopped'}, before}]).split('\n')
    expect(row?.split(/\s{2,}/)).toEqual(['web (stopped)', '-', '- / -', '-', '- / -', '-'])
  })

  it.each([
    [0, '0B'],
    [1023, '1023B'],
    [1024, '1KiB'],
    [1536, '1.5KiB'],
    [12_345_678, '11.77MiB'],
    [3 * 1024 ** 4, '3TiB'],
    [undefined, '-'],
  ])('%s bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})
