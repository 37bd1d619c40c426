/** What keeps JetStream from being used, as far as the coordinator can tell: for those who would need it, and for `info`. */
import type {NatsConnection} from 'nats'
import {TallyError} from '../../kernel/errors.ts'
import type {Clock} from '../../kernel/clock.ts'
import {askJetStream} from '../../messaging/jetstream.ts'

export interface JetStreamWatch {
  /** Undefined while nothing is known against it. */
  readonly trouble: string | undefined
  /** @throws TallyError JETSTREAM_UNAVAILABLE with the reason */
  assertWell(): void
  /** Looks until the connection is closed. For a server that nobody here starts again. */
  watch(connection: NatsConnection): Promise<void>
}

const [lookMs, answerMs] = [1_000, 3_000]

/** @param toKnown a reason that is known without asking */
export function createJetStreamWatch({
  toKnown,
  url,
  clock,
}: {
  readonly toKnown: () => string | undefined
  readonly url: () => string
  readonly clock: Pick<Clock, 'sleep'>
}): JetStreamWatch {
  let found: string | undefined
  const toTrouble = () => toKnown() ?? found

  return {
    get trouble() {
      return toTrouble()
    },
    assertWell: () => {
      const trouble = toTrouble()
      if (trouble !== undefined) throw new TallyError('JETSTREAM_UNAVAILABLE', trouble)
    },
    watch: async (connection) => {
      for (; !connection.isClosed(); await clock.sleep(lookMs)) {
        const health = await askJetStream(connection, answerMs)
        if (health === 'off') found = `JetStream is off on the NATS server at ${url()}: one whose disk was full has to be started again`
        // One that does not answer at all is missed as a connection.
        if (health === 'well') found = undefined
      }
      found = undefined
    },
  }
}
