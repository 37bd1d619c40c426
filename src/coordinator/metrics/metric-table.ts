/** Every metric, in the order of docs/metrics.md. */

interface Entry {
  readonly type: 'gauge' | 'counter' | 'histogram'
  /** Its source. Metrics of the stream are left out until the stream has been read. */
  readonly of: 'stream' | 'node'
  readonly labels: readonly string[]
  readonly help: string
}

export const metricTable = {
  tally_containers: {type: 'gauge', of: 'stream', labels: ['state'], help: 'Containers that are not deleted, by state.'},
  tally_execs: {type: 'gauge', of: 'stream', labels: ['state'], help: 'Processes that exec has added and that are not deleted, by state.'},
  tally_commands_in_flight: {type: 'gauge', of: 'stream', labels: [], help: 'Commands that were accepted and have no outcome yet.'},
  tally_events_total: {
    type: 'counter',
    of: 'stream',
    labels: ['type'],
    help: 'Events of the ledger, by type: every transition of every container.',
  },
  tally_exits_total: {
    type: 'counter',
    of: 'stream',
    labels: ['process', 'kind'],
    help: 'Ends of processes, by process (init or exec) and kind (success, failure, signal, lost).',
  },
  tally_oom_exits_total: {type: 'counter', of: 'stream', labels: [], help: 'Containers whose init was killed by the out-of-memory killer.'},
  tally_restarts_total: {type: 'counter', of: 'stream', labels: [], help: 'Starts of containers that had been started before.'},
  tally_adoptions_total: {type: 'counter', of: 'stream', labels: [], help: 'Supervisors that took over from one that died.'},
  tally_supervisors_gave_up_total: {
    type: 'counter',
    of: 'stream',
    labels: [],
    help: 'Containers that were left without a supervisor because theirs died too often.',
  },
  tally_command_duration_seconds: {
    type: 'histogram',
    of: 'stream',
    labels: ['command', 'outcome'],
    help: 'From the acceptance of a command to its outcome, as the ledger has them, by command and outcome (done or failed).',
  },
  tally_build_info: {
    type: 'gauge',
    of: 'node',
    labels: ['version', 'node'],
    help: 'Always 1; the labels say which release, of which node.',
  },
  tally_nats_connected: {type: 'gauge', of: 'node', labels: [], help: '1 while the coordinator is connected to NATS.'},
  tally_supervisors: {type: 'gauge', of: 'node', labels: [], help: 'Containers that a supervisor looks after, awake or asleep.'},
  tally_supervisors_missing: {
    type: 'gauge',
    of: 'node',
    labels: [],
    help: 'Containers that nobody looks after, also those whose supervisors died too often.',
  },
  tally_containers_by_supervisor: {
    type: 'gauge',
    of: 'node',
    labels: ['supervisor'],
    help: 'Containers by what their supervisor is: awake, asleep, none (the container has no process), gave-up or missing.',
  },
  tally_supervisor_starts_total: {
    type: 'counter',
    of: 'node',
    labels: [],
    help: 'Supervisors that were started again, for a request, an exit, a deadline or a death.',
  },
  tally_supervisor_deaths_total: {
    type: 'counter',
    of: 'node',
    labels: [],
    help: 'Supervisors that have died, and did not just fall asleep.',
  },
  tally_supervisor_wakes_total: {type: 'counter', of: 'node', labels: [], help: 'Supervisors that a request has woken.'},
  tally_held_requests: {type: 'gauge', of: 'node', labels: [], help: 'Requests that wait for a supervisor to wake.'},
  tally_held_bytes: {type: 'gauge', of: 'node', labels: [], help: 'The size of these requests.'},
  tally_outbox_lag_events: {
    type: 'gauge',
    of: 'node',
    labels: [],
    help: 'Events in journals that the coordinator has not read from the stream.',
  },
  tally_outbox_lag_max_events: {type: 'gauge', of: 'node', labels: [], help: 'The same, of the one container that has the most.'},
  tally_request_duration_seconds: {
    type: 'histogram',
    of: 'node',
    labels: ['verb', 'outcome'],
    help: 'Requests that the coordinator has answered, by verb and outcome (done, or the kind of the error).',
  },
  tally_coordinator_restarts_total: {
    type: 'counter',
    of: 'node',
    labels: [],
    help: 'Coordinators that have died and were started again, since `tally up -d`; 0 in the foreground.',
  },
  process_start_time_seconds: {
    type: 'gauge',
    of: 'node',
    labels: [],
    help: 'When the coordinator was started, in seconds since the epoch.',
  },
  process_cpu_seconds_total: {type: 'counter', of: 'node', labels: [], help: 'CPU time of the coordinator.'},
  process_resident_memory_bytes: {type: 'gauge', of: 'node', labels: [], help: 'Resident memory of the coordinator.'},
} as const satisfies Readonly<Record<string, Entry>>
export type MetricName = keyof typeof metricTable
export type MetricNameOf<T extends Entry['type']> = {
  readonly [N in MetricName]: (typeof metricTable)[N]['type'] extends T ? N : never
}[MetricName]
