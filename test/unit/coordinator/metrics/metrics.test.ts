import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {parseLedgerEvent} from '../../../../machines/ledger/cloud-event.ts'
import type {LedgerEvent} from '../../../../machines/ledger/events.ts'
import {parseSource} from '../../../../machines/ledger/ids.ts'
import {applyEvent, emptyLedger, type Ledger} from '../../../../machines/ledger/ledger.ts'
import {createCommandTimes} from '../../../../src/coordinator/metrics/command-times.ts'
import type {JournalState} from '../../../../src/coordinator/ledgers/journals.ts'
import {createMetrics, type MetricsDependencies} from '../../../../src/coordinator/metrics/metrics.ts'

const golden = (path: string): readonly LedgerEvent[] =>
  readFileSync(join(import.meta.dirname, '../../../fixtures/journals', path), 'utf8')
    .trim()
    .split('\n')
    .map(parseLedgerEvent)
const wholeLife = golden('0.1.0/whole-life.jsonl')
const node = parseSource(wholeLife[0]?.source ?? '')?.node ?? ''

function startMetrics(options: Partial<MetricsDependencies> = {}) {
  const ledgers = new Map<string, Ledger>()
  const metrics = createMetrics({
    node,
    version: '1.2.3',
    ledgers: () => ledgers,
    readJournals: () => [],
    supervisorCounts: {starts: 0, deaths: 0},
    readStandIn: () => ({sleeping: 0, waking: 0, heldRequests: 0, heldBytes: 0, woken: 0}),
    isConnected: () => true,
    startedAt: 1_000,
    coordinatorRestarts: 0,
    caughtUp: async () => true,
    ...options,
  })
  return {
    metrics,
    fold: (events: readonly LedgerEvent[]) => {
      for (const event of events) {
        const {ledger} = applyEvent(ledgers.get(event.source) ?? emptyLedger, event)
        if (event.type === 'container.deleted') ledgers.delete(event.source)
        else ledgers.set(event.source, ledger)
        metrics.observer.onFolded(event, ledger)
      }
    },
    lines: async () => (await metrics.render()).split('\n').filter((line) => line !== '' && !line.startsWith('#')),
  }
}

describe('the metrics', () => {
  it('count containers by state, all states among them', async () => {
    const {fold, lines} = startMetrics()
    fold(wholeLife.slice(0, wholeLife.findIndex(({type}) => type === 'container.started') + 1))
    expect(await lines()).toContain('tally_containers{state="running"} 1')
    expect(await lines()).toContain('tally_containers{state="stopped"} 0')
  })

  it('count events, exits and adoptions of this node, and of no other', async () => {
    const {fold, lines} = startMetrics()
    fold(wholeLife)
    fold(golden('0.1.0/adopted.jsonl').map((event) => ({...event, uid: 'other', source: event.source.replace(`/${node}/`, '/elsewhere/')})))
    const all = await lines()
    const exits = wholeLife.filter(({type}) => type === 'container.exited')
    expect(exits).toHaveLength(1)
    expect(all).toContain('tally_events_total{type="container.exited"} 1')
    expect(all.filter((line) => line.startsWith('tally_exits_total')).map((line) => line.split(' ')[1])).toEqual(['1'])
    expect(all).toContain('tally_adoptions_total 0')
    expect(all).toContain('tally_commands_in_flight 0')
  })

  it('tell how long commands took, by their outcome', async () => {
    const {fold, lines} = startMetrics()
    fold(wholeLife)
    const all = await lines()
    for (const command of ['create', 'start', 'delete']) {
      expect(all).toContain(`tally_command_duration_seconds_count{command="${command}",outcome="done"} 1`)
    }
    const asked = wholeLife.find(({type}) => type === 'container.start-requested')
    const done = wholeLife.find(({type}) => type === 'container.started')
    const seconds = (Date.parse(done?.time ?? '') - Date.parse(asked?.time ?? '')) / 1_000
    expect(all).toContain(`tally_command_duration_seconds_sum{command="start",outcome="done"} ${seconds}`)
  })

  it('count a start as a restart when the container had been started before', async () => {
    const {metrics, fold, lines} = startMetrics()
    const start = wholeLife.find(({type}) => type === 'container.started')
    fold(wholeLife.slice(0, 4))
    if (start) metrics.observer.onFolded({...start, sequence: 5}, emptyLedger)
    expect(await lines()).toContain('tally_restarts_total 1')
  })

  it('tell of supervisors and of what they have not published', async () => {
    const journals: readonly JournalState[] = [
      {supervisor: 'awake', unpublished: 0},
      {supervisor: 'asleep', unpublished: 4},
      {supervisor: 'none', unpublished: 0},
      {supervisor: 'gave-up', unpublished: 0},
      {supervisor: 'missing', unpublished: 2},
    ]
    const all = await startMetrics({
      readJournals: () => journals,
      supervisorCounts: {starts: 9, deaths: 2},
      readStandIn: () => ({sleeping: 2, waking: 1, heldRequests: 3, heldBytes: 120, woken: 5}),
    }).lines()
    expect(all).toEqual(
      expect.arrayContaining([
        'tally_supervisors 2',
        'tally_supervisors_missing 2',
        ...['awake', 'asleep', 'none', 'gave-up', 'missing'].map((one) => `tally_containers_by_supervisor{supervisor="${one}"} 1`),
        'tally_supervisor_starts_total 9',
        'tally_supervisor_deaths_total 2',
        'tally_supervisor_wakes_total 5',
        'tally_held_requests 3',
        'tally_held_bytes 120',
        'tally_outbox_lag_events 6',
        'tally_outbox_lag_max_events 4',
      ]),
    )
  })

  it('leave out what the stream tells until it has been read once', async () => {
    let isRead = false
    const {fold, lines, metrics} = startMetrics({caughtUp: async () => isRead})
    fold(wholeLife)
    expect((await lines()).some((line) => line.startsWith('tally_events_total'))).toBe(false)
    expect(await lines()).toContain('tally_nats_connected 1')
    isRead = true
    expect((await lines()).some((line) => line.startsWith('tally_events_total'))).toBe(true)
    isRead = false
    expect((await lines()).some((line) => line.startsWith('tally_events_total'))).toBe(true)
    metrics.observer.onReset()
    expect((await lines()).some((line) => line.startsWith('tally_events_total'))).toBe(false)
  })

  it('begin anew with the stream', async () => {
    const {fold, lines, metrics} = startMetrics()
    fold(wholeLife)
    metrics.observer.onReset()
    fold(wholeLife)
    expect(await lines()).toContain('tally_events_total{type="container.exited"} 1')
  })

  it('tell how requests ended', async () => {
    const {metrics, lines} = startMetrics()
    metrics.measure('create')('done')
    metrics.measure('create')('already_exists')
    expect(await lines()).toContain('tally_request_duration_seconds_count{verb="create",outcome="already_exists"} 1')
  })
})

describe('command times', () => {
  it('have an outcome for every command that a ledger tells of, in every recorded journal', () => {
    for (const path of ['0.1.0/stopping.jsonl', '0.1.0/failures.jsonl', '0.1.0/paused.jsonl', '0.2.0/execs.jsonl', '0.2.0/updated.jsonl']) {
      const times = createCommandTimes()
      let ledger = emptyLedger
      const settled = golden(path).flatMap((event) => {
        ;({ledger} = applyEvent(ledger, event))
        return times.observe(event, ledger)
      })
      expect(settled.length, path).toBeGreaterThan(1)
      expect(settled.every(({seconds}) => seconds >= 0)).toBe(true)
      times.forget()
      expect(times.inFlight).toBe(0)
    }
  })

  it('tell failures from what was done', () => {
    const times = createCommandTimes()
    let ledger = emptyLedger
    const settled = golden('0.1.0/failures.jsonl').flatMap((event) => {
      ;({ledger} = applyEvent(ledger, event))
      return times.observe(event, ledger)
    })
    expect(settled.some(({outcome}) => outcome === 'failed')).toBe(true)
  })
})
