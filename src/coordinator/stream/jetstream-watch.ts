/** What keeps JetStream from being used, as far as the coordinator knows: for commands that would need it, and for `info`. */
import type {NatsConnection} from 'nats'
import {TallyError} from '../../kernel/errors.ts'
import type {Clock} from '../../kernel/clock.ts'
import {askJetStream, type JetStreamHealth} from '../../messaging/jetstream.ts'

export interface JetStreamWatch {
  /** A sentence; undefined while JetStream can be used, as far as is known. */
  trouble(): string | undefined
  /** @throws TallyError JETSTREAM_UNAVAILABLE with the reason */
  assertWell(): void
  /** Asks the server now and then, until the connection is closed. */
  watch(connection: NatsConnection): Promise<void>
}

export interface JetStreamWatchOptions {
  /** A reason that is known without asking the server. */
  readonly known: () => string | undefined
  readonly url: () => string
  readonly clock: Pick<Clock, 'sleep'>
}

/** `off` until the server says otherwise: one that does not answer is missed as a connection. */
type Found = Exclude<JetStreamHealth, 'silent'>

const [lookMs, answerMs] = [1_000, 3_000]

export function createJetStreamWatch({known, url, clock}: JetStreamWatchOptions): JetStreamWatch {
  let found: Found = 'well'

  return {
    trouble,
    assertWell: () => {
      const why = trouble()
      if (why !== undefined) throw new TallyError('JETSTREAM_UNAVAILABLE', why)
    },
    watch: async (connection) => {
      for (; !connection.isClosed(); await clock.sleep(lookMs)) found = toFound(found, await askJetStream(connection, answerMs))
      found = 'well'
    },
  }

  function trouble(): string | undefined {
    const off = `JetStream is off on the NATS server at ${url()}: one whose disk was full has to be started again`
    return known() ?? (found === 'off' ? off : undefined)
  }
}

function toFound(found: Found, health: JetStreamHealth): Found {
  return health === 'silent' ? found : health
}
