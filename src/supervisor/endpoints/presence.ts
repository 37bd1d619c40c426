/**
 * Whether this supervisor receives the requests to its container, or the coordinator in its place: docs/adr/0027. It listens on every session
 * from the first on, until it hands over or leaves.
 */
import * as z from 'zod'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import {encodeJson, requestJson} from '../../messaging/codec.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {RegisteredService} from '../../messaging/services.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import type {NatsConnection} from 'nats'

export interface Presence {
  /**
   * Lets the coordinator stand in. Call it only when nothing is in flight, and all output of processes that have ended is in the log. Resolves when it does, and this process receives nothing any more; it may end if it has nothing left to
   * do. Otherwise, and when a request has come meanwhile, it listens as before.
   */
  handOver(): Promise<HandOver>
  /** Listens again after a handover, and gets what came meanwhile. Idempotent. */
  takeBack(): Promise<void>
  /** Listens no more: nobody does. Resolves when the server knows, or after the time. */
  leave(timeoutMs: number): Promise<void>
}

export type HandOver = {readonly type: 'handed over'} | {readonly type: 'stays'; readonly why: string}

export interface PresenceDependencies {
  readonly address: ContainerAddress
  readonly subjects: Subjects
  readonly link: Pick<NatsLink, 'session' | 'onSession'>
  /** @param isThere whether to answer those who ask for a supervisor that is awake */
  readonly register: (connection: NatsConnection, isThere: () => boolean) => Promise<RegisteredService>
  /** Called when nothing is received any more and the coordinator stands in. @returns why it has to listen again; undefined when it need not */
  readonly onSilence: (connection: NatsConnection) => string | undefined
  /** For how long samples are still to be published. */
  readonly watchStatsMs: () => number
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
}

type State =
  | {readonly type: 'not registered'}
  | {readonly type: 'listening'; readonly service: RegisteredService; readonly connection: NatsConnection}
  /** It still receives. It does not say any more that it is awake: the answer could overtake the coordinator's confirmation. */
  | {readonly type: 'handing over'; readonly service: RegisteredService; readonly connection: NatsConnection}
  | {readonly type: 'handed over'}
  | {readonly type: 'left'}

const confirmationMs = 5_000
const drainMs = 5_000
const sleepReplySchema = z.object({standsIn: z.boolean()})

export function createPresence({
  address,
  subjects,
  link,
  register,
  onSilence,
  watchStatsMs,
  clock,
  logger,
}: PresenceDependencies): Presence {
  const {node, namespace, id} = address
  let state: State = {type: 'not registered'}

  link.onSession(async (connection) => {
    if (isToListen()) await listen(connection)
  })

  return {
    handOver: async () => {
      const former = state
      if (former.type !== 'listening' || former.connection.isClosed()) return {type: 'stays', why: 'there is no connection to NATS'}
      const {connection, service} = former
      const handing: State = {type: 'handing over', connection, service}
      state = handing
      const standsIn = await askToStandIn(connection)
      if (!standsIn || state !== handing || connection.isClosed()) {
        if (state === handing) state = former
        // It may have confirmed too late.
        tellAwake(connection)
        return {type: 'stays', why: 'the coordinator does not stand in'}
      }
      state = {type: 'handed over'}
      await stop(service, drainMs)
      const why = onSilence(connection)
      if (why === undefined) return {type: 'handed over'}
      await takeBack()
      return {type: 'stays', why}
    },
    takeBack,
    leave: async (timeoutMs) => {
      const former = state
      state = {type: 'left'}
      // Without a connection no requests come.
      if (former.type === 'listening' || former.type === 'handing over') await stop(former.service, timeoutMs)
    },
  }

  async function takeBack(): Promise<void> {
    if (state.type !== 'handed over') return
    state = {type: 'not registered'}
    const connection = link.session()
    if (connection) await listen(connection)
  }

  async function listen(connection: NatsConnection): Promise<void> {
    const service = await register(connection, () => state.type === 'listening')
    // It may have left meanwhile.
    if (!isToListen()) return await service.stop()
    state = {type: 'listening', service, connection}
    tellAwake(connection)
  }

  function isToListen(): boolean {
    return state.type !== 'handed over' && state.type !== 'left'
  }

  /** A coordinator that does not hear it asks, on the subject that is registered by now. */
  function tellAwake(connection: NatsConnection): void {
    if (!connection.isClosed()) connection.publish(subjects.nodeCommand(node, 'awake'), encodeJson({namespace, id}))
  }

  async function askToStandIn(connection: NatsConnection): Promise<boolean> {
    try {
      const options = {schema: sleepReplySchema, timeoutMs: confirmationMs}
      const reply = await requestJson(
        connection,
        subjects.nodeCommand(node, 'sleep'),
        {namespace, id, watchStatsMs: watchStatsMs()},
        options,
      )
      return reply?.standsIn ?? false
    } catch (error) {
      logger.debug({err: error}, 'the coordinator cannot stand in')
      return false
    }
  }

  async function stop(service: RegisteredService, timeoutMs: number): Promise<void> {
    await Promise.race([service.stop().catch(() => {}), clock.sleep(timeoutMs)])
  }
}
