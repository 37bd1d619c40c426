/**
 * Reads the stream on, whatever happens to it: the connection is lost, the stream is deleted and made again, purged and published again, or
 * replaced by an old copy. MUST hold: every event once, those of a container in order; achieved by checking that the last event is still in
 * its place before reading on behind it, and by remembering how far every container was read.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import {type NatsConnection, NatsError} from 'nats'
import {readEvents, type ReadOptions} from './read-events.ts'
import {isStillThere, type StreamedEvent} from './stream.ts'
import type {Subjects} from './subjects.ts'

export interface EventReader {
  /**
   * Continues where the last connection ended. When following, it ends with the connection, without an error.
   * @throws NatsError of JetStream when the stream cannot be read; when following, only after ten seconds of that
   */
  read(connection: NatsConnection): AsyncGenerator<StreamedEvent>
}

export interface EventReaderOptions extends ReadOptions {
  /** The stream is not the one that was read before: it is read again from its beginning. */
  readonly onOther?: () => void
  /** Whether events that were read before are passed over; this keeps a number for every container that was ever read. Default: true. */
  readonly once?: boolean
}

const retryMs = 250
/** A stream that is being made again, or a busy server, is usually available within this time. */
const patienceMs = 10_000

export function createEventReader(subjects: Subjects, {onOther, once = true, ...options}: EventReaderOptions): EventReader {
  /** Sequence of the latest event read, by uid. */
  const seen = new Map<string, number>()
  let last: StreamedEvent | undefined

  return {
    read: async function* (connection) {
      let readableAt = performance.now()
      do {
        let isRight = true
        const start = {...options, isRight: async () => (isRight = !last || (await isStillThere(connection, subjects, last)))}
        try {
          for await (const found of readEvents(connection, subjects, {...start, ...(await findStart(connection))})) {
            last = found
            readableAt = performance.now()
            if (!once) yield found
            else if (found.event.sequence > (seen.get(found.event.uid) ?? 0)) {
              seen.set(found.event.uid, found.event.sequence)
              yield found
            }
          }
        } catch (error) {
          const isPassing = error instanceof NatsError && options.follow && performance.now() < readableAt + patienceMs
          if (!isPassing) throw error
        }
        if (!isRight) continue
        if (!options.follow || connection.isClosed() || options.signal?.aborted) return
        await sleep(retryMs)
      } while (!connection.isClosed())
    },
  }

  async function findStart(connection: NatsConnection): Promise<Pick<ReadOptions, 'from'>> {
    if (!last) return {}
    if (await isStillThere(connection, subjects, last)) return {from: {streamSequence: last.streamSequence + 1}}
    onOther?.()
    last = undefined
    return options.from && 'time' in options.from ? {} : {from: {streamSequence: 1}}
  }
}
