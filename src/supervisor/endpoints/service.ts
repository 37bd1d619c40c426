/** The container's address on NATS: its endpoints, from the first session to its end. */
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerLayout} from '../../layout/container-layout.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Outbox} from '../../messaging/outbox.ts'
import {type Endpoint, registerService, type Service} from '../../messaging/services.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import {createInputEndpoint} from '../input/input-endpoint.ts'
import type {Loop} from '../loop/loop.ts'
import type {Outputs} from '../output/outputs.ts'
import type {Stats} from '../processes/stats.ts'
import {createToEndpoint} from './command-endpoint.ts'
import {fitToMessage} from './fit-to-message.ts'
import {createLifecycleEndpoints} from './lifecycle-endpoints.ts'
import {createObservationEndpoints} from './observation-endpoints.ts'
import {createOutputEndpoints} from './output-endpoints.ts'
import {createProcessEndpoints} from './process-endpoints.ts'
import {createToPublishedView} from './published.ts'

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
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
}

export interface ContainerService {
  /** Takes no more requests: from now on nobody listens on the address. Resolves when the server knows, or after the time. */
  leave(timeoutMs: number): Promise<void>
  /** The container is gone: answers those that waited for that. Resolves when all are answered. */
  answerAll(): Promise<void>
}

type Registration = {readonly type: 'none'} | {readonly type: 'registered'; readonly service: Service} | {readonly type: 'left'}

/** Answers on every session from now on. */
export function serveContainer(dependencies: ServiceDependencies): ContainerService {
  const {address, uid, version, link, clock, logger} = dependencies
  const unanswered = new Set<Promise<unknown>>()
  const gone = Promise.withResolvers<void>()
  const endpoints = createEndpoints(dependencies, gone.promise).map((one) => ({...one, handle: tracked(fitToMessage(one.handle))}))
  let registration: Registration = {type: 'none'}
  link.onSession(async (connection) => {
    if (registration.type === 'left') return
    const service = await registerService(connection, {
      name: 'tally-supervisor',
      version,
      description: `supervises container ${address.namespace}/${address.id}`,
      metadata: {...address, uid, pid: String(process.pid)},
      endpoints,
      logger,
    })
    // It may have been left meanwhile.
    if (hasLeft()) await service.stop()
    else registration = {type: 'registered', service}
  })

  return {
    leave: async (timeoutMs) => {
      const former = registration
      registration = {type: 'left'}
      // Without a connection no requests come.
      if (former.type === 'registered') await Promise.race([former.service.stop().catch(() => {}), clock.sleep(timeoutMs)])
    },
    answerAll: async () => {
      gone.resolve()
      await Promise.allSettled(unanswered)
    },
  }

  function hasLeft(): boolean {
    return registration.type === 'left'
  }

  function tracked(handle: Endpoint['handle']): Endpoint['handle'] {
    return async (bytes, origin, message) => {
      const answer = handle(bytes, origin, message)
      unanswered.add(answer)
      try {
        return await answer
      } finally {
        unanswered.delete(answer)
      }
    }
  }
}

function createEndpoints(
  {address, loop, outputs, layout, outbox, subjects, stats, clock}: ServiceDependencies,
  gone: Promise<void>,
): readonly Endpoint[] {
  const on = createToEndpoint(subjects, address)
  const published = createToPublishedView(outbox)
  return [
    ...createProcessEndpoints({on, loop, outputs, published}),
    ...createLifecycleEndpoints({on, loop, published, gone}),
    createInputEndpoint({subjects, address, outputs, loop, layout, clock}),
    ...createOutputEndpoints({on, loop, outputs, layout}),
    ...createObservationEndpoints({on, loop, stats, outbox}),
  ]
}
