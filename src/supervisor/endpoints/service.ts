/** The container's address on NATS: its endpoints, from the first session to its end. */
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Outbox} from '../../messaging/outbox.ts'
import {type Endpoint, registerService} from '../../messaging/services.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import {createInputEndpoint} from '../input/input-endpoint.ts'
import type {Loop} from '../loop/loop.ts'
import type {Outputs} from '../output/outputs.ts'
import type {Stats} from '../../observation/stats.ts'
import {createToEndpoint} from './command-endpoint.ts'
import {fitToMessage} from '../../observation/fit-to-message.ts'
import {createLateAttempts} from './late-attempts.ts'
import {createLifecycleEndpoints} from './lifecycle-endpoints.ts'
import {createObservationEndpoints} from './observation-endpoints.ts'
import {createOpenWaits} from './open-waits.ts'
import {createOutputEndpoints} from './output-endpoints.ts'
import {createPresence, type Presence} from './presence.ts'
import {createProcessEndpoints} from './process-endpoints.ts'
import {createToPublishedView} from './published.ts'
import {createReliefEndpoint, type RunningProgram} from './relief-endpoint.ts'

export interface ServiceDependencies {
  readonly address: ContainerAddress
  readonly uid: string
  readonly version: string
  readonly loop: Loop
  readonly outputs: Outputs
  readonly layout: ContainerLayout
  readonly stats: Stats
  readonly link: NatsLink
  readonly outbox: Outbox
  readonly subjects: Subjects
  readonly running: RunningProgram
  /** Another supervisor is to take over as soon as nothing is in flight. */
  readonly relieve: () => void
  /** Called at each request, and when it is answered. */
  readonly onRequest: () => void
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
  readonly logger: Logger
}

export interface ContainerService extends Pick<Presence, 'handOver' | 'takeBack' | 'leave'> {
  /** Requests that are not answered, but for those that wait for an exit: the coordinator can wait as well. */
  readonly open: number
  /** The container is gone: answers those that waited for that. Resolves when all are answered. */
  answerAll(): Promise<void>
}

/** Answers on every session from now on. */
export function serveContainer(dependencies: ServiceDependencies): ContainerService {
  const {address, uid, version, link, subjects, stats, onRequest, clock, logger} = dependencies
  const unanswered = new Set<Promise<unknown>>()
  const gone = Promise.withResolvers<void>()
  const waits = createOpenWaits(clock)
  const toLateAttempt = createLateAttempts(clock)
  const endpoints = createEndpoints(dependencies, gone.promise)
    .map(toLateAttempt)
    .map((one) => (one.name === 'wait' ? waits.wrap(one) : one))
    .map((one) => ({...one, handle: tracked(fitToMessage(one.handle))}))
  const {handOver, takeBack, leave} = createPresence({
    address,
    subjects,
    link,
    register: (connection, isThere) =>
      registerService(connection, {
        name: 'tally-supervisor',
        version,
        description: `supervises container ${address.namespace}/${address.id}`,
        metadata: {...address, uid, pid: String(process.pid)},
        endpoints,
        own: {subject: subjects.own(address), toPublic: subjects.fromOwn, isThere},
        logger,
      }),
    onSilence: (connection) => {
      if (unanswered.size > waits.count) return 'a request has come'
      waits.passOn(connection)
      stats.end()
      return undefined
    },
    watchStatsMs: stats.left,
    clock,
    logger,
  })

  return {
    handOver,
    takeBack,
    leave,
    get open() {
      return unanswered.size - waits.count
    },
    answerAll: async () => {
      gone.resolve()
      await Promise.allSettled(unanswered)
    },
  }

  function tracked(handle: Endpoint['handle']): Endpoint['handle'] {
    return async (bytes, origin, message) => {
      onRequest()
      const answer = handle(bytes, origin, message)
      unanswered.add(answer)
      try {
        return await answer
      } finally {
        unanswered.delete(answer)
        onRequest()
      }
    }
  }
}

function createEndpoints(
  {address, loop, outputs, layout, outbox, subjects, stats, running, relieve, clock, logger}: ServiceDependencies,
  gone: Promise<void>,
): readonly Endpoint[] {
  const on = createToEndpoint(subjects, address)
  const published = createToPublishedView(outbox)
  return [
    ...createProcessEndpoints({on, loop, outputs, published}),
    ...createLifecycleEndpoints({on, loop, published, gone}),
    createInputEndpoint({subjects, address, outputs, loop, clock}),
    ...createOutputEndpoints({on, loop, outputs, layout, clock}),
    ...createObservationEndpoints({on, loop, stats, outbox}),
    createReliefEndpoint({on, running, relieve, logger}),
  ]
}
