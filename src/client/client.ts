/** The public TypeScript client: a node's commands as functions, over one NATS connection. */
import type {NatsConnection} from 'nats'
import {createSystemClock} from '../kernel/clock.ts'
import {createDialer} from '../messaging/dialer.ts'
import {createSubjects} from '../messaging/subjects.ts'
import {findConnection} from './find-connection.ts'
import {createNodeClient} from './node.ts'
import type {RequesterOptions} from './requester.ts'
import {asReturning, connectReturning} from './returning-connection.ts'
import type {ClientOptions, TallyClient} from './types.ts'

export {findExit} from './find-exit.ts'
export type {
  CheckpointInput,
  ClientOptions,
  ContainerClient,
  ExecClient,
  ExecRequestInput,
  ProcessClient,
  RestoreInput,
  TallyClient,
} from './types.ts'

/** @throws TallyError NODE_NOT_RUNNING, NATS_UNREACHABLE, NATS_AUTH_FAILED, NATS_TLS_FAILED */
export async function connectTally(options: ClientOptions = {}): Promise<TallyClient> {
  const {actor = 'client', onLost, onBack, returns = true, patienceMs} = options
  const {node, prefix} = await findConnection(options)
  const dialer = createDialer()
  // The server may have another address by the time of a reconnection.
  const dial = async () =>
    await dialer.dial({
      ...(await findConnection(options)),
      ...(patienceMs !== undefined && {patienceMs}),
      name: `tally client ${process.pid}`,
    })
  const connection = returns ? await connectReturning({dial, onLost, onBack}) : asReturning(await dial())
  const isCluster = returns && dialer.servers().length > 1
  return createNodeClient({connection, clock: createSystemClock(), isCluster}, {node, subjects: createSubjects(prefix), actor})
}

/** Over a connection of the caller's, which is closed with the client. */
export function createClient(connection: NatsConnection, options: RequesterOptions): TallyClient {
  return createNodeClient({connection: asReturning(connection), clock: createSystemClock(), isCluster: false}, options)
}
