/** The end of a supervisor whose container is gone: the stream has to have every event, then the directory is removed, then it exits. */
import type {Journal} from '../journal/journal.ts'
import type {Clock} from '../kernel/clock.ts'
import type {Logger} from '../kernel/log.ts'
import type {ContainerLayout} from '../layout/container-layout.ts'
import type {NatsLink} from '../messaging/link.ts'
import type {Outbox} from '../messaging/outbox.ts'
import {removeLast} from './effects/files-of-container.ts'
import type {ContainerService} from './endpoints/service.ts'
import {endForGood} from './shim/end-for-good.ts'
import type {SupervisorShim} from './shim/supervisor-shim.ts'

export interface LeaveDependencies {
  readonly outbox: Pick<Outbox, 'whenAcknowledged'>
  readonly journal: Pick<Journal, 'latestSequence'> & Disposable
  readonly link: Pick<NatsLink, typeof Symbol.asyncDispose>
  readonly shim: Pick<SupervisorShim, 'leave'>
  readonly unmountRootfs: () => void
  /** Resolves when the coordinator has been told what became of the assignment. */
  readonly replied: Promise<void>
  readonly clock: Clock
  readonly logger: Logger
}

const lastReplyPatienceMs = 5_000
const acknowledgementPatienceMs = 60_000

/** @param service undefined when none was begun */
export async function leave(
  {outbox, journal, link, shim, unmountRootfs, replied, clock, logger}: LeaveDependencies,
  {layout, service}: {readonly layout: ContainerLayout; readonly service: ContainerService | undefined},
): Promise<never> {
  while (!(await outbox.whenAcknowledged(journal.latestSequence(), acknowledgementPatienceMs)))
    logger.info('waiting for the stream to confirm the last event')
  // The next container with this id has this address as well: from now on no request that comes is for this one.
  await service?.leave(lastReplyPatienceMs)
  await removeLast(layout, {unmount: unmountRootfs, clock, logger})
  // Who waits for a reply gets it: on NATS, and the coordinator about a create that failed.
  await Promise.race([Promise.all([service?.answerAll(), replied]), clock.sleep(lastReplyPatienceMs)])
  // What has been answered in this very turn is still to be handed to the connection.
  await clock.sleep(1)
  await link[Symbol.asyncDispose]()
  journal[Symbol.dispose]()
  return await endForGood(shim, clock)
}
