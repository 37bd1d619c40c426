import {describe, expect, it} from 'vitest'
import {metricTable} from '../../../src/coordinator/metrics/metric-table.ts'
import {createMetrics} from '../../../src/coordinator/metrics/metrics.ts'
import {readFences, readProjectFile, readRows, unquote} from './markdown.ts'

const text = readProjectFile('docs/metrics.md')
const metrics = createMetrics({
  node: 'n1',
  version: '1',
  ledgers: () => new Map(),
  readJournals: () => [],
  supervisorCounts: {starts: 0, deaths: 0},
  readStandIn: () => ({sleeping: 0, waking: 0, heldRequests: 0, heldBytes: 0, woken: 0}),
  isConnected: () => true,
  startedAt: 0,
  coordinatorRestarts: 0,
  caughtUp: async () => true,
})

describe('docs/metrics.md', () => {
  const rows = readRows(text, 'metric', 'type', 'labels', 'meaning').map((row) => ({
    name: unquote(row['metric'] ?? ''),
    type: row['type'],
    labels: [...(row['labels'] ?? '').matchAll(/`(\w+)`/g)].map(([, label]) => label),
    help: row['meaning'],
  }))

  it('has every metric with its type, labels and meaning, in the order of the table, and no other', () => {
    expect(rows).toEqual(Object.entries(metricTable).map(([name, {type, labels, help}]) => ({name, type, labels, help})))
  })

  it('has the metrics that the coordinator exports, and no other', async () => {
    const told = [...(await metrics.render()).matchAll(/^# HELP (\S+) /gm)].map(([, name]) => name)
    expect(told.toSorted()).toEqual(Object.keys(metricTable).toSorted())
  })

  it('has names that follow the rules of Prometheus', () => {
    for (const {name, type} of rows) {
      expect(name).toMatch(/^(tally|process)(_[a-z]+)+$/)
      expect(name.endsWith('_total'), name).toBe(type === 'counter')
      if (type === 'histogram') expect(name).toMatch(/_seconds$/)
    }
  })

  it('has examples with metrics that exist', () => {
    const named = readFences(text, 'promql').flatMap((code) =>
      [...code.matchAll(/tally_\w+/g)].map(([name]) => name.replace(/_bucket$/, '')),
    )
    expect(named.length).toBeGreaterThan(3)
    for (const name of named) expect(rows.map((row) => row.name)).toContain(name)
  })
})
