/** The ports that the pages need; the coordinator's main.ts provides them. */
import type {NatsConnection} from 'nats'
import type {ContainerView} from '../../../machines/views/view.ts'
import {createClient, type TallyClient} from '../../client/client.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import type {Session, Sessions} from './sessions.ts'
import type {Tokens} from './tokens.ts'

/** Of all nodes on the stream, as complete as the events up to `streamSequence` make them. */
export interface Overview {
  readonly streamSequence: number
  readonly containers: readonly ContainerView[]
}

export interface Backend {
  readonly node: string
  readonly subjects: Subjects
  /** A connection for the pages alone: their traffic does not delay the coordinator's. */
  readonly link: NatsLink
  /** @param options `deleted`: including those that were deleted lately */
  readonly readOverview: (options: {readonly deleted: boolean}) => Promise<Overview>
  /** In the text format of Prometheus. */
  readonly renderMetrics: () => Promise<string>
  readonly metricsToken: string
  readonly tokens: Tokens
  readonly sessions: Sessions
  /** The built page: index.html and assets/. */
  readonly pageDir: string
  readonly clock: Clock
  readonly logger: Logger
}

/** The first request may come before the first connection is made. */
const connectPatienceMs = 5_000

/** Undefined when there is none within 5 s. */
export async function toConnection({link, clock}: Pick<Backend, 'link' | 'clock'>): Promise<NatsConnection | undefined> {
  return link.session() ?? (await Promise.race([link.connected(), clock.sleep(connectPatienceMs)])) ?? undefined
}

/**
 * A node's commands over the present connection, with the actor of this session.
 * @param node this node when absent
 * @throws TallyError NATS_UNREACHABLE when there is none within 5 s
 */
export async function toClient(
  backend: Pick<Backend, 'link' | 'node' | 'subjects' | 'clock'>,
  {actor}: Session,
  node = backend.node,
): Promise<TallyClient> {
  const connection = await toConnection(backend)
  if (!connection) throw new TallyError('NATS_UNREACHABLE', 'the connection to NATS was lost; it is being made again')
  return createClient(connection, {node, subjects: backend.subjects, actor})
}
