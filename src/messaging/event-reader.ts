/**
 * Reading on over everything that can happen to a stream: the connection goes, the stream is deleted and made again, purged and published
 * again, or replaced by an old copy of itself. MUST hold: every event once, those of a container in order; achieved by looking whether the
 * last event is still the one in its place before reading on behind it, and by remembering how far every container has been read.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import {type NatsConnection, NatsError} from 'nats'
import {readEvents, type ReadOptions} from './read-events.ts'
import {isStillThere, type StreamedEvent} from './stream.ts'
import type {Subjects} from './subjects.ts'

export interface EventReader {
  /**
   * Goes on where the last connection was left. Following, it ends with the connection, without an error.
   * @throws NatsError JetStream's, when the stream cannot be read; following, when it could not for ten seconds
   */
  read(connection: NatsConnection): AsyncGenerator<StreamedEvent>
}

export interface EventReaderOptions extends ReadOptions {
  /** The stream is not the one that has been read so far: it is read again from its beginning. */
  readonly onOther?: () => void
  /** Whether events that have been read are passed over when they come again; costs a number for every container that was ever read. */
  readonly once?: boolean
}

const retryMs = 250
/** A stream that is being made again, or a server that is busy, is there again within that. */
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
