/** The public TypeScript client: a node's commands as functions, over one NATS connection. */
import type {NatsConnection} from 'nats'
import {createSystemClock} from '../kernel/clock.ts'
import {toNodeSocket} from '../kernel/lock-file.ts'
import {createDialer} from '../messaging/dialer.ts'
import {createSubjects} from '../messaging/subjects.ts'
import {defaultRunDir, findConnection, findNode} from './find-connection.ts'
import {createNodeClient} from './node.ts'
import {type Outlook, readOutlook} from './outlook.ts'
import type {RequesterOptions} from './requester.ts'
import {asReturning, connectReturning} from './returning-connection.ts'
import type {ClientOptions, TallyClient} from './types.ts'
import {untilReachable} from './until-reachable.ts'

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
  const {actor = 'client', onLost, onBack, returns = true, awaitsCoordinator = returns, patienceMs} = options
  const {node, prefix, isLocal} = await findNode(options)
  const readLocalOutlook = async () =>
    awaitsCoordinator && isLocal ? await readOutlook(toNodeSocket(options.runDir ?? defaultRunDir)) : await readNothing()
  const dialer = createDialer()
  // The server may have another address by the time of a reconnection.
  const dial = async () =>
    await dialer.dial({
      ...(await findConnection(options)),
      ...(patienceMs !== undefined && {patienceMs}),
      name: `tally client ${process.pid}`,
    })
  const clock = createSystemClock()
  const first = await untilReachable(dial, {
    clock,
    readOutlook: options.nats ? readNothing : readLocalOutlook,
  })
  const connection = returns ? connectReturning(first, {dial, onLost, onBack}) : asReturning(first)
  const isCluster = returns && dialer.servers().length > 1
  return createNodeClient({connection, clock, isCluster, readOutlook: readLocalOutlook}, {node, subjects: createSubjects(prefix), actor})
}

/** Over a connection of the caller's, which is closed with the client. */
export function createClient(connection: NatsConnection, options: RequesterOptions): TallyClient {
  return createNodeClient(
    {connection: asReturning(connection), clock: createSystemClock(), isCluster: false, readOutlook: readNothing},
    options,
  )
}

async function readNothing(): Promise<Outlook> {
  return {type: 'unknown'}
}
