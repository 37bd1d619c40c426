/** The output of a container: the last lines first, then new ones as they are written. */
import {type ReadonlySignal, signal} from '@preact/signals'
import type {Failure} from '../../../../machines/ledger/events.ts'
import type {ContainerAddress} from '../../../../machines/ledger/ids.ts'
import {logReplySchema} from '../../../../machines/views/view.ts'
import {getJson, isNotFound, toFailure} from '../api/http.ts'
import {containerPath} from '../api/paths.ts'
import {logEntrySchema} from '../api/replies.ts'
import {followServerEvents} from '../api/server-events.ts'
import {createFrameBatch} from './frame-batch.ts'
import {createLineReader, type LogEntry, type LogLine} from './log-lines.ts'

export interface LogState {
  readonly type: 'loading' | 'open' | 'ended' | 'missing' | 'failed'
  readonly lines: readonly LogLine[]
  readonly failure?: Failure
}

export interface LogReader extends Disposable {
  readonly state: ReadonlySignal<LogState>
}

const tailLines = 1_000

export function openLog(address: ContainerAddress): LogReader {
  const state = signal<LogState>({type: 'loading', lines: []})
  const read = createLineReader()
  const abort = new AbortController()
  let connection: Disposable | undefined
  const take = createFrameBatch<LogEntry>((entries) => {
    state.value = {...state.value, lines: read(state.value.lines, entries)}
  })
  void begin()
  return {
    state,
    [Symbol.dispose]: () => {
      abort.abort()
      connection?.[Symbol.dispose]()
    },
  }

  async function begin(): Promise<void> {
    try {
      const reply = await getJson(containerPath(address, `/log?tail=${tailLines}`), logReplySchema, abort.signal)
      state.value = {type: reply.ended ? 'ended' : 'open', lines: read([], reply.entries)}
      if (!reply.ended) follow(reply.next)
    } catch (error) {
      if (abort.signal.aborted) return
      state.value = isNotFound(error) ? {type: 'missing', lines: []} : {type: 'failed', lines: [], failure: toFailure(error)}
    }
  }

  function follow(from: number): void {
    let position = from
    connection = followServerEvents(() => containerPath(address, `/log/follow?position=${position}`), {
      resumes: false,
      onData: (data) => {
        const entry = logEntrySchema.parse(JSON.parse(data))
        position = entry.next
        take(entry)
      },
      named: {
        end: () => {
          connection?.[Symbol.dispose]()
          state.value = {...state.value, type: 'ended'}
        },
      },
    })
  }
}
