/** What the pages are made of: ports, put in by the coordinator's main.ts. */
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
  /** Of the pages' own: what they move does not delay the coordinator's. */
  readonly link: NatsLink
  /** @param options `deleted`: those too that were deleted lately */
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

/** The first request comes before the first connection. */
const connectPatienceMs = 5_000

/** Undefined when there is none within 5 s. */
export async function toConnection({link, clock}: Pick<Backend, 'link' | 'clock'>): Promise<NatsConnection | undefined> {
  return link.session() ?? (await Promise.race([link.connected(), clock.sleep(connectPatienceMs)])) ?? undefined
}

/**
 * A node's commands over the present connection, as somebody of this session.
 * @param node this one unless told
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
