/**
 * From the journal to the stream: a container's events, in order, each once.
 *
 * There is no cursor to lose: the stream itself is asked what it has, and is made to have what the journal has. MUST hold: in order
 * and once; achieved by one publication in flight, by `Nats-Msg-Id` for one whose acknowledgement was lost, and by comparing stream
 * and journal whenever the latest event is not where it was put: after a deletion, a purge, or the restoration of an old copy.
 */
import {toCloudEvent} from '../../machines/ledger/cloud-event.ts'
import type {Clock} from '../kernel/clock.ts'
import type {Logger} from '../kernel/log.ts'
import {createAcknowledgements} from './acknowledgements.ts'
import {type Comparison, compareWithJournal} from './compare-stream.ts'
import {type ContainerStream, type ContainerStreamOptions, createContainerStream, toStreamFailure} from './container-stream.ts'
import {type EventSource, judgeComparison, type Rebuilding} from './judge-comparison.ts'
import type {NatsLink} from './link.ts'
import {applyToOutbox, decideActivity, type OutboxEvent, toInitialState} from './outbox-state.ts'

export interface Outbox {
  /** There may be something new in the journal. */
  poke(): void
  /** Sequence of the latest event that the stream has confirmed. */
  readonly acknowledged: number
  /** @returns whether the stream confirmed that event in time */
  whenAcknowledged(sequence: number, timeoutMs: number): Promise<boolean>
  /** Compares the whole stream with the journal now, or with the next connection; what is missing is published after that. */
  compare(): Promise<Comparison>
}

export interface OutboxLoopOptions {
  readonly source: EventSource
  readonly uid: string
  readonly clock: Clock
  readonly logger: Logger
  /** Nothing of this container can be in the stream yet: its first session need not compare. */
  readonly fresh: boolean
  readonly onRebuild?: (rebuilding: Rebuilding) => void
  /** How often, about, the stream is asked whether it still has the latest event, while nothing is published. */
  readonly lookMs?: number
  /** From 0 to 1; random unless given. */
  readonly chance?: () => number
}

export interface OutboxOptions extends OutboxLoopOptions, ContainerStreamOptions {
  readonly link: NatsLink
}

export interface OutboxLoop extends Outbox {
  /** Publishes over this connection until it is closed. */
  publishUntilClosed(stream: ContainerStream): Promise<void>
}

const retryMs = 250
/**
 * A missing stream is left to the coordinator at first, which knows what limits it had. When two make it at the same moment with different
 * limits, nats-server 2.9 ends up with a stream to which nothing can be published.
 */
const othersFirstMs = 1_000
/** A stream that cannot be read has to be repaired by an administrator. */
const unreadableMs = 5_000
const usualLookMs = 30_000

export function createOutbox({link, subjects, address, ...options}: OutboxOptions): Outbox {
  const loop = createOutboxLoop(options)
  link.onSession((connection) => loop.publishUntilClosed(createContainerStream(connection, {subjects, address, uid: options.uid})))
  return loop
}

/** Without NATS. */
export function createOutboxLoop(options: OutboxLoopOptions): OutboxLoop {
  const {source, uid, clock, logger, fresh, onRebuild, lookMs = usualLookMs, chance = Math.random} = options
  const acknowledgements = createAcknowledgements(clock)
  let state = toInitialState(fresh, {nowMs: clock.elapsed(), lookMs})
  let requests: readonly ((comparison: Comparison) => void)[] = []
  let wake = () => {}

  return {
    poke: () => wake(),
    get acknowledged() {
      return acknowledgements.latest
    },
    whenAcknowledged: acknowledgements.whenConfirmed,
    compare: () =>
      new Promise((resolve) => {
        requests = [...requests, resolve]
        apply({type: 'doubted'})
      }),
    publishUntilClosed,
  }

  function apply(event: OutboxEvent): void {
    const {latest} = state.extent
    state = applyToOutbox(state, event, {nowMs: clock.elapsed(), chance: chance(), lookMs})
    if (state.extent.latest !== latest) acknowledgements.confirm(state.extent.latest.sequence)
    wake()
  }

  async function publishUntilClosed(stream: ContainerStream): Promise<void> {
    // Called before the link begins its next session, which waits for the same.
    stream.closed().then(() => apply({type: 'disconnected'}))
    using _watch = stream.watch(() => apply({type: 'stream-changed'}))
    apply({type: 'connected'})
    while (!stream.isClosed()) {
      try {
        await act(stream)
      } catch (error) {
        if (stream.isClosed()) return
        logger.warn({err: error}, 'cannot publish; comparing the stream with the journal')
        await recover(stream, error)
      }
    }
  }

  async function act(stream: ContainerStream): Promise<void> {
    const activity = decideActivity(state, source.latestSequence(), clock.elapsed())
    switch (activity.type) {
      case 'comparing':
        return await compareAll(stream)
      case 'checking':
        apply({type: 'check-begun'})
        return (await stream.hasInPlace(state.extent)) ? undefined : apply({type: 'doubted'})
      case 'publishing':
        return await publishAfter(stream, activity.after)
      case 'idle':
        return await waitUntil(activity.untilMs)
      case 'disconnected':
        return void (await stream.closed())
    }
  }

  async function compareAll(stream: ContainerStream): Promise<void> {
    const answered = requests
    apply({type: 'comparison-begun'})
    const {state: streamState, events} = await stream.read()
    const comparison = await compareWithJournal(events, source.read, {uid, isLimited: streamState.isLimited})
    const {wrong, extent, rebuilding} = judgeComparison(comparison, {confirmed: state.extent, state: streamState, source})
    if (wrong.length > 0) {
      // The log is the only place that has them after this.
      logger.error({removed: wrong.map(({event}) => toCloudEvent(event))}, 'removing from the stream what does not follow the journal')
      await stream.remove(wrong)
      apply({type: 'removed'})
    }
    apply({type: 'compared', extent})
    requests = requests.filter((request) => !answered.includes(request))
    for (const resolve of answered) resolve(comparison)
    if (!rebuilding) return
    logger.warn(rebuilding, 'the stream is not what was published to it: publishing again')
    onRebuild?.(rebuilding)
  }

  /** All that there is, unless a doubt arises. */
  async function publishAfter(stream: ContainerStream, after: number): Promise<void> {
    for (const event of source.read(after)) {
      apply({type: 'published', place: {sequence: event.sequence, streamSequence: await stream.publish(event)}})
      if (state.trust.type !== 'trusted') return
    }
  }

  async function recover(stream: ContainerStream, error: unknown): Promise<void> {
    const failure = toStreamFailure(error)
    if (failure === 'unreadable') await clock.sleep(unreadableMs)
    if (failure === 'missing') {
      await clock.sleep(othersFirstMs * (1 + chance()))
      await stream.ensure().catch((cause: unknown) => logger.warn({err: cause}, 'the stream is missing and cannot be made'))
    }
    apply({type: 'doubted'})
    await clock.sleep(retryMs)
  }

  async function waitUntil(untilMs: number): Promise<void> {
    const {promise, resolve} = Promise.withResolvers<void>()
    wake = resolve
    using _timer = clock.at(untilMs, resolve)
    await promise
  }
}
