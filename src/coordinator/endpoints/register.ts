/** The coordinator's service, registered with every connection to NATS. */
import type {NatsConnection} from 'nats'
import {type Logger, writeOut} from '../../kernel/log.ts'
import {version} from '../../kernel/version.ts'
import {type Endpoint, registerService} from '../../messaging/services.ts'
import {mustGiveWay} from '../stream/only-one.ts'

export interface RegistrationOptions {
  readonly node: string
  readonly startedAt: string
  readonly endpoints: readonly Endpoint[]
  readonly measure: (verb: string) => (outcome: string) => void
  readonly logger: Logger
  /** `external`: other machines reach the same NATS, and a coordinator there may have this node's name. */
  readonly nats: {readonly type: 'embedded' | 'external'; readonly url: () => string}
  readonly pageUrl: string | undefined
  /** Called once, when the node answers. @param status the same, for a person who looks at it later */
  readonly onReady: (status: string) => void
  /** Called when another coordinator was there before. */
  readonly onSecond: () => void
}

export function createRegistration({
  node,
  startedAt,
  endpoints,
  measure,
  logger,
  nats,
  pageUrl,
  onReady,
  onSecond,
}: RegistrationOptions): (connection: NatsConnection) => Promise<void> {
  let reached: 'not-yet' | 'once' = 'not-yet'

  return async (connection) => {
    const service = await registerService(connection, {
      name: 'tally-coordinator',
      version,
      description: `coordinates node ${node}`,
      metadata: {node, pid: String(process.pid), startedAt},
      endpoints,
      logger,
      measure,
    })
    if (reached === 'not-yet') {
      writeOut(1, `${announce(node, nats.url(), pageUrl)}\n`)
      onReady(`node ${node} is ready on ${nats.url()}`)
    } else logger.info({url: nats.url()}, 'connected again')
    reached = 'once'
    if (nats.type === 'embedded' || !(await mustGiveWay(connection, {id: service.id, node}).catch(() => false))) return
    writeOut(2, `tally: another coordinator answers for node ${node} on this NATS, and was there before [NODE_RUNNING]\n`)
    onSecond()
  }
}

/** For a person at a terminal; `tally up -d` waits for it, and prints it. */
function announce(node: string, natsUrl: string, pageUrl: string | undefined): string {
  const page = pageUrl === undefined ? '' : `, its page on ${pageUrl} (\`tally ui\`)`
  return `tally: node ${node} is ready on ${natsUrl}${page}; ctrl-c ends it, containers run on`
}
