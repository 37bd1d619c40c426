/**
 * The stream that this node publishes to: made if it is missing, with the limits that were asked for, or with those that it had before
 * somebody deleted it. Limits that are set with `tally stream set` or by other tools are the stream's from then on.
 */
import type {NatsConnection} from 'nats'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import {ensureEventStream, isStreamMissing, readStreamState, watchStream} from '../../messaging/stream.ts'
import {readStreamStanding, setStreamLimits, type StreamLimits, toConfig} from '../../messaging/stream-limits.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import {readSeenStream, type SeenStream, writeSeenStream} from './stream-limits-file.ts'

export interface StreamKeeper {
  /** @throws TallyError JETSTREAM_UNAVAILABLE, STREAM_UNREADABLE, STREAM_LIMITS_REFUSED */
  ensure(connection: NatsConnection): Promise<void>
  /** Ensures it again whenever somebody makes, deletes or changes it. */
  watch(connection: NatsConnection): Disposable
}

export interface StreamKeeperOptions {
  readonly subjects: Subjects
  readonly stateDir: string
  /** Asked for when this node was started: set once. */
  readonly wanted: StreamLimits
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
}

/** The coordinators of all nodes see at once that the stream was deleted, and must not all make it; supervisors leave them this time. */
const longestDelayMs = 500

/** What was asked for when the node was started is set once; later the stream may have been given other limits. */
type Wish = {readonly type: 'to-be-set'; readonly limits: StreamLimits} | {readonly type: 'set'}

export function createStreamKeeper({subjects, stateDir, wanted, clock, logger}: StreamKeeperOptions): StreamKeeper {
  let seen = readSeenStream(stateDir)
  let wish: Wish = Object.keys(wanted).length > 0 ? {type: 'to-be-set', limits: wanted} : {type: 'set'}
  let latest = Promise.resolve()

  return {
    ensure: (connection) => inTurn(() => ensure(connection)),
    watch: (connection) =>
      watchStream(connection, subjects, () => {
        inTurn(() => ensureAgain(connection)).catch((error: unknown) => {
          if (!connection.isClosed()) logger.warn({err: error}, 'cannot look after the stream')
        })
      }),
  }

  /** One at a time: each compares the stream with what the one before has seen. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = latest.then(work)
    latest = done.catch(() => {})
    return done
  }

  async function ensure(connection: NatsConnection): Promise<void> {
    const limits = wish.type === 'set' ? {} : wish.limits
    await ensureEventStream(connection, subjects, toConfig({...seen?.limits, ...limits})).catch(async (error: unknown) => {
      if (!seen || wish.type === 'to-be-set') throw error
      // The cluster may be another than that in which the stream had these limits.
      await ensureEventStream(connection, subjects)
    })
    const found = await readStreamStanding(connection, subjects)
    if (seen && seen.created !== found.created) await restoreLimits(connection, seen.limits)
    await setStreamLimits(connection, subjects, limits)
    wish = {type: 'set'}
    const {created, limits: standing} = await readStreamStanding(connection, subjects)
    remember({created, limits: standing})
  }

  /** A supervisor that has made the stream again knows of no limits. */
  async function restoreLimits(connection: NatsConnection, limits: StreamLimits): Promise<void> {
    await setStreamLimits(connection, subjects, limits).catch((error: unknown) => {
      logger.warn({err: error, limits}, 'the stream was made again, and cannot have the limits that it had before')
    })
  }

  /** Limits that were changed are written down at once, since the stream may be deleted next. */
  async function ensureAgain(connection: NatsConnection): Promise<void> {
    const isMissing = await readStreamState(connection, subjects).then(() => false, isStreamMissing)
    if (isMissing) await clock.sleep(Math.random() * longestDelayMs)
    await ensure(connection)
  }

  function remember(found: SeenStream): void {
    if (JSON.stringify(found) === JSON.stringify(seen)) return
    seen = found
    writeSeenStream(stateDir, found, logger)
  }
}
