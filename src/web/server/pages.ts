/** The node's pages, put together: a socket at once, and all that answers on it when somebody comes. */
import {join} from 'node:path'
import type {UiReply} from '../../../machines/views/view.ts'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {Logger} from '../../kernel/log.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import type {Overview} from './backend.ts'
import {type HttpAddress, type HttpHandlers, listenHttp} from './listen.ts'
import {keepSecret} from './secret-file.ts'
import {createSessions} from './sessions.ts'
import {createTokens} from './tokens.ts'

export interface PagesOptions {
  readonly node: string
  readonly subjects: Subjects
  /** The default, or any port of loopback, when absent. */
  readonly address: HttpAddress | 'off' | undefined
  /** Who comes before this waits: the ports below are not there yet. */
  readonly ready: Promise<void>
  /** Called when somebody comes: a connection of the pages' own. */
  readonly openLink: () => NatsLink
  readonly readOverview: (options: {readonly deleted: boolean}) => Promise<Overview>
  readonly renderMetrics: () => Promise<string>
  readonly stateDir: string
  readonly pageDir: string
  readonly clock: Clock
  readonly logger: Logger
}

export interface Pages extends AsyncDisposable {
  /** Undefined when there are none. */
  readonly url: string | undefined
  /** An address that is good for one login. @throws TallyError HTTP_OFF */
  invite(actor: string): UiReply
}

/** @throws TallyError HTTP_ADDRESS_UNUSABLE for an address that was asked for */
export async function openPages(options: PagesOptions): Promise<Pages> {
  const {node, address, clock, logger, stateDir} = options
  const tokens = createTokens(clock)
  let link: NatsLink | undefined
  const listener = address === 'off' ? undefined : await listenHttp({address, load, logger})

  // Whoever scrapes the metrics reads it from its file, before there was any request.
  const metricsToken = listener ? keepSecret(join(stateDir, 'metrics-token'), logger) : ''

  return {
    url: listener?.url,
    invite: (actor) => {
      if (!listener) throw new TallyError('HTTP_OFF', `node ${node} serves no page: expected \`tally up\` without --http off`)
      const {token, expiresAt} = tokens.issue(actor)
      return {url: `${listener.url}/login?token=${token}`, expiresAt}
    },
    [Symbol.asyncDispose]: async () => {
      await listener?.[Symbol.asyncDispose]()
      await link?.[Symbol.asyncDispose]()
    },
  }

  async function load(): Promise<HttpHandlers> {
    await options.ready
    const {createApp} = await import('./app.ts')
    link ??= options.openLink()
    return createApp({
      ...options,
      link,
      tokens,
      sessions: createSessions(Buffer.from(keepSecret(join(stateDir, 'session-key'), logger)), clock),
      metricsToken,
    })
  }
}
