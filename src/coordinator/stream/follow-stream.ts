import type {NatsConnection} from 'nats'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {JetStreamWatch} from './jetstream-watch.ts'
import type {StreamKeeper} from './stream-keeper.ts'

const retryMs = 1_000

export interface FollowStreamDependencies {
  readonly streamKeeper: StreamKeeper
  readonly jetStream: JetStreamWatch
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
}

/** Sees to it that the stream is there for as long as the connection is. A server that is busy or has no room yet is asked again. */
export async function followStream(
  connection: NatsConnection,
  {streamKeeper, jetStream, clock, logger}: FollowStreamDependencies,
): Promise<void> {
  for (; !connection.isClosed(); await clock.sleep(retryMs)) {
    try {
      await streamKeeper.ensure(connection)
      break
    } catch (error) {
      if (jetStream.trouble() === undefined && !connection.isClosed()) logger.error({err: error}, 'there is no stream; trying again')
    }
  }
  using _watch = streamKeeper.watch(connection)
  await jetStream.watch(connection)
}
