/** Reads what is new in the log of one process, and hands it on: the shim writes the log, and tells when it has grown. */
import {setImmediate as turn} from 'node:timers/promises'
import type {LogEntry} from '../../stdio/cri-log.ts'
import {readLogPage} from '../../stdio/log-page.ts'
import type {LogProgress, Totals} from '../../stdio/process-stdio-port.ts'
import type {OutputChunk, StreamName} from '../../stdio/streams.ts'

export interface LogFollower {
  /** Hands on what is new. Resolves when all of it is handed on that was in the log at the call. Rejects when the log cannot be read. */
  read(): Promise<void>
  /** What comes before is not handed on. */
  moveTo(progress: LogProgress): void
  /** The place in the log up to which all is handed on. */
  readonly position: number
}

const pageBytes = 256 * 1024

/** @param from where to begin */
export function createLogFollower(logFile: string, from: LogProgress, publish: (chunk: OutputChunk) => void): LogFollower {
  const offsets: Record<StreamName, number> = {stdout: from.stdout, stderr: from.stderr}
  let {position} = from
  let reading: Promise<void> = Promise.resolve()

  return {
    read: () => {
      // What is in the log now may be behind what is being read.
      const next = reading.then(readAll)
      reading = next.catch(() => {})
      return next
    },
    moveTo: (progress) => {
      position = progress.position
      Object.assign(offsets, pick(progress))
    },
    get position() {
      return position
    },
  }

  async function readAll(): Promise<void> {
    for (let isAll = false; !isAll; ) {
      const page = readLogPage(logFile, position, pageBytes)
      // Behind what was dropped, the counts are those of the file that is the oldest now.
      if (page.position > position) Object.assign(offsets, pick(page.oldest))
      for (const {stream, time, bytes} of joinEntries(page.entries)) {
        publish({stream, offset: offsets[stream], atMs: Date.parse(time), bytes})
        offsets[stream] += bytes.length
      }
      position = page.next
      isAll = page.atEnd
      // Commands come between two pages.
      if (!isAll) await turn()
    }
  }
}

function pick({stdout, stderr}: Totals): Totals {
  return {stdout, stderr}
}

/** What was read from a stream at once becomes one piece again. */
function* joinEntries(entries: readonly LogEntry[]): Generator<LogEntry> {
  for (let at = 0; at < entries.length; ) {
    const first = entries[at]
    if (!first) return
    const alike = entries.slice(at).findIndex(({stream, time}) => stream !== first.stream || time !== first.time)
    const end = alike < 0 ? entries.length : at + alike
    yield {...first, bytes: Buffer.concat(entries.slice(at, end).map(({bytes}) => bytes))}
    at = end
  }
}
