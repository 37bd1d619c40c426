/**
 * The stream that this node publishes to: made if it is missing, with the limits that were asked for, or with those that it had before
 * somebody deleted it. What is changed with `tally stream set` or by other tools is what it has from then on.
 */
import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {NatsConnection} from 'nats'
import * as z from 'zod'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import {ensureEventStream, isStreamMissing, readStreamState, watchStream} from '../../messaging/stream.ts'
import {readStreamStanding, setStreamLimits, type StreamLimits, streamLimitsSchema, toConfig} from '../../messaging/stream-limits.ts'
import type {Subjects} from '../../messaging/subjects.ts'

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

/** A stream that is deleted is missed by the coordinators of all nodes at once; supervisors leave them that long. */
const longestHasteMs = 500

const knownSchema = z.object({created: z.string(), limits: streamLimitsSchema})
type Known = z.infer<typeof knownSchema>

export function createStreamKeeper({subjects, stateDir, wanted, clock, logger}: StreamKeeperOptions): StreamKeeper {
  const file = join(stateDir, 'stream.json')
  let known = readKnown(file)
  let pending = wanted
  let latest = Promise.resolve()

  return {ensure, watch}

  async function ensure(connection: NatsConnection): Promise<void> {
    await ensureEventStream(connection, subjects, toConfig({...known?.limits, ...pending})).catch(async (error: unknown) => {
      if (!known || Object.keys(pending).length > 0) throw error
      // Another cluster than that in which it had them.
      await ensureEventStream(connection, subjects)
    })
    const found = await readStreamStanding(connection, subjects)
    if (known && known.created !== found.created) await restore(connection, known.limits)
    await setStreamLimits(connection, subjects, pending)
    pending = {}
    const {created, limits} = await readStreamStanding(connection, subjects)
    remember({created, limits})
  }

  /** A supervisor that made it anew knows of no limits. */
  async function restore(connection: NatsConnection, limits: StreamLimits): Promise<void> {
    await setStreamLimits(connection, subjects, limits).catch((error: unknown) => {
      logger.warn({err: error, limits}, 'the stream is another than before, and cannot have the limits of that')
    })
  }

  function watch(connection: NatsConnection): Disposable {
    return watchStream(connection, subjects, () => {
      latest = latest
        .then(() => lookAfter(connection))
        .catch((error: unknown) => {
          if (!connection.isClosed()) logger.warn({err: error}, 'cannot look after the stream')
        })
    })
  }

  /** What was set is known at once, since it may be deleted next. */
  async function lookAfter(connection: NatsConnection): Promise<void> {
    const isMissing = await readStreamState(connection, subjects).then(() => false, isStreamMissing)
    if (isMissing) await clock.sleep(Math.random() * longestHasteMs)
    await ensure(connection)
  }

  function remember(found: Known): void {
    if (JSON.stringify(found) === JSON.stringify(known)) return
    known = found
    try {
      writeFileSync(file, `${JSON.stringify(found)}\n`, {mode: 0o600})
    } catch (error) {
      logger.warn({err: error, file}, 'cannot note down the limits of the stream')
    }
  }
}

function readKnown(file: string): Known | undefined {
  try {
    const parsed = knownSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    return parsed.success ? parsed.data : undefined
  } catch {
    // None yet, or half written.
    return undefined
  }
}
