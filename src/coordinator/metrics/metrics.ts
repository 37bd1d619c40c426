/**
 * The metrics of the node for Prometheus (docs/metrics.md). No supervisor is asked for them: they come from the stream, which is read anyway,
 * and from the state directories, so that they cost supervisors nothing, and are there without NATS.
 */
import type {LedgerEvent} from '../../../machines/ledger/events.ts'
import {parseSource} from '../../../machines/ledger/ids.ts'
import {type Ledger, toTopLevelState} from '../../../machines/ledger/ledger.ts'
import type {ProcessExit} from '../../../machines/ledger/process-exit.ts'
import {topLevelStates} from '../../../machines/charts/states.ts'
import {createCommandTimes} from './command-times.ts'
import {createInstruments} from './instruments.ts'
import type {JournalState} from '../ledgers/journals.ts'
import type {FoldObserver} from '../ledgers/projection.ts'
import type {StandInFigures} from '../sleepers/stand-in.ts'
import type {SupervisorCounts} from '../supervision/supervisor-counts.ts'
import {countSupervisors} from '../supervision/supervisor-states.ts'

export interface MetricsDependencies {
  readonly node: string
  readonly version: string
  /** By source, as read from the stream. */
  readonly ledgers: () => ReadonlyMap<string, Ledger>
  /** Of this node's containers. */
  readonly readJournals: () => readonly JournalState[]
  /** Of supervisors that this coordinator knows. */
  readonly supervisorCounts: SupervisorCounts
  readonly readStandIn: () => StandInFigures
  readonly isConnected: () => boolean
  /** Of this process, in milliseconds since the epoch. */
  readonly startedAt: number
  /** How many coordinators have died before this one and were replaced by it. */
  readonly coordinatorRestarts: number
  /** Resolves once the stream has been read to its end, or to false when that takes long. */
  readonly caughtUp: () => Promise<boolean>
}

export interface Metrics {
  /** Must see every event of the stream, in order, each after it was folded. */
  readonly observer: FoldObserver
  /** Begins a request to this coordinator, and ends it: `done`, or the kind of its error. */
  readonly measure: (verb: string) => (outcome: string) => void
  /** In the text format of Prometheus. Does not reject when NATS is not reachable. */
  render(): Promise<string>
  /** The content type of what `render` returns. */
  readonly contentType: string
}

export function createMetrics({
  node,
  version,
  ledgers,
  readJournals,
  supervisorCounts,
  readStandIn,
  isConnected,
  startedAt,
  coordinatorRestarts,
  caughtUp,
}: MetricsDependencies): Metrics {
  const {ofStream, ofNode, gauge, counter, total, histogram} = createInstruments()
  const commandTimes = createCommandTimes()
  /** Uids of containers that have been started, until they are deleted. */
  const started = new Set<string>()
  let isRead = false
  let journals: readonly JournalState[] = []
  let supervisors = countSupervisors([])

  gauge('tally_containers', (set) => {
    const states = own().map((ledger) => toTopLevelState(ledger))
    for (const state of topLevelStates) set(states.filter((one) => one === state).length, {state})
  })
  gauge('tally_execs', (set) => {
    const processes = own().flatMap((ledger) => [...ledger.processes.values()])
    for (const [state, all] of Map.groupBy(processes, ({value}) => value)) set(all.length, {state})
  })
  gauge('tally_commands_in_flight', (set) => set(commandTimes.inFlight))
  const events = counter('tally_events_total')
  const exits = counter('tally_exits_total')
  const oomExits = counter('tally_oom_exits_total')
  const restarts = counter('tally_restarts_total')
  const adoptions = counter('tally_adoptions_total')
  const gaveUp = counter('tally_supervisors_gave_up_total')
  const commandDuration = histogram('tally_command_duration_seconds')

  gauge('tally_build_info', (set) => set(1, {version, node}))
  gauge('tally_nats_connected', (set) => set(isConnected() ? 1 : 0))
  gauge('tally_supervisors', (set) => set(supervisors.awake + supervisors.asleep))
  gauge('tally_supervisors_missing', (set) => set(supervisors.missing + supervisors['gave-up']))
  gauge('tally_containers_by_supervisor', (set) => {
    for (const [supervisor, count] of Object.entries(supervisors)) set(count, {supervisor})
  })
  total('tally_supervisor_starts_total', () => supervisorCounts.starts)
  total('tally_supervisor_deaths_total', () => supervisorCounts.deaths)
  total('tally_supervisor_wakes_total', () => readStandIn().woken)
  gauge('tally_held_requests', (set) => set(readStandIn().heldRequests))
  gauge('tally_held_bytes', (set) => set(readStandIn().heldBytes))
  gauge('tally_outbox_lag_events', (set) => set(journals.reduce((sum, {unpublished}) => sum + unpublished, 0)))
  gauge('tally_outbox_lag_max_events', (set) => set(Math.max(0, ...journals.map(({unpublished}) => unpublished))))
  const requestDuration = histogram('tally_request_duration_seconds')
  total('tally_coordinator_restarts_total', () => coordinatorRestarts)
  gauge('process_start_time_seconds', (set) => set(startedAt / 1_000))
  total('process_cpu_seconds_total', () => toSeconds(process.cpuUsage()))
  gauge('process_resident_memory_bytes', (set) => set(process.memoryUsage.rss()))

  return {
    observer: {
      onFolded,
      onReset: () => {
        ofStream.resetMetrics()
        commandTimes.forget()
        started.clear()
        isRead = false
      },
    },
    measure: (verb) => {
      const end = requestDuration.startTimer({verb})
      return (outcome) => void end({outcome})
    },
    render: async () => {
      // With half of the stream read, counters would seem to be reset, and then to jump.
      isRead ||= await caughtUp()
      // Once for all metrics that need them.
      journals = readJournals()
      supervisors = countSupervisors(journals.map(({supervisor}) => supervisor))
      return [await ofNode.metrics(), ...(isRead ? [await ofStream.metrics()] : [])].join('\n')
    },
    contentType: ofNode.contentType,
  }

  function own(): readonly Ledger[] {
    return [...ledgers()].flatMap(([source, ledger]) => (parseSource(source)?.node === node ? [ledger] : []))
  }

  function onFolded(event: LedgerEvent, ledger: Ledger): void {
    if (parseSource(event.source)?.node !== node) return
    events.inc({type: event.type})
    for (const {command, outcome, seconds} of commandTimes.observe(event, ledger)) commandDuration.observe({command, outcome}, seconds)
    switch (event.type) {
      case 'container.started':
        if (started.has(event.uid)) restarts.inc()
        started.add(event.uid)
        break
      case 'container.exited':
        exits.inc({process: 'init', kind: toKind(event.data.exit)})
        if (event.data.oomKilled) oomExits.inc()
        break
      case 'exec.exited':
        exits.inc({process: 'exec', kind: toKind(event.data.exit)})
        break
      case 'container.deleted':
        started.delete(event.uid)
        break
      case 'supervisor.adopted':
        adoptions.inc()
        break
      case 'supervisor.gave-up':
        gaveUp.inc()
        break
    }
  }
}

function toKind(exit: ProcessExit): string {
  if (exit.type !== 'code') return exit.type
  return exit.code === 0 ? 'success' : 'failure'
}

/** Of microseconds. */
function toSeconds({user, system}: NodeJS.CpuUsage): number {
  return (user + system) / 1_000_000
}
