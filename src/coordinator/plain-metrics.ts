import {toTopLevelState} from '../../machines/ledger.ts'
import type {Projection} from './projection.ts'

/** What the projection alone can tell, in the text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export function renderPlainMetrics({ledgers, streamSequence}: Projection): string {
  const counts = new Map<string, number>()
  for (const ledger of ledgers.values()) {
    const state = toTopLevelState(ledger)
    counts.set(state, (counts.get(state) ?? 0) + 1)
  }
  return [
    '# HELP tally_containers Containers of all nodes on the stream, by state.',
    '# TYPE tally_containers gauge',
    ...[...counts].map(([state, count]) => `tally_containers{state="${state}"} ${count}`),
    '# HELP tally_stream_sequence The last event of the stream that this coordinator has read.',
    '# TYPE tally_stream_sequence counter',
    `tally_stream_sequence ${streamSequence}`,
    '',
  ].join('\n')
}
