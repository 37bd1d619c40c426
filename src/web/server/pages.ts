/** The node's pages: the socket is opened at once, everything else with the first request. */
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

/** Where the pages have from what they show. */
export interface PagesSources {
  /** Called with the first request: a connection of the pages' own. */
  readonly openLink: () => NatsLink
  readonly readOverview: (options: {readonly deleted: boolean}) => Promise<Overview>
  readonly renderMetrics: () => Promise<string>
}

export interface PagesOptions {
  readonly node: string
  readonly subjects: Subjects
  /** The default, or any free port of loopback, when absent. */
  readonly address: HttpAddress | 'off' | undefined
  /** Requests that come before this resolves wait for it. */
  readonly ready: Promise<PagesSources>
  readonly stateDir: string
  readonly pageDir: string
  readonly clock: Clock
  readonly logger: Logger
}

export interface Pages extends AsyncDisposable {
  /** Undefined when no pages are served. */
  readonly url: string | undefined
  /** @returns an address that is valid for one login. @throws TallyError HTTP_OFF */
  invite(actor: string): UiReply
}

/** @throws TallyError HTTP_ADDRESS_UNUSABLE when an address was given and cannot be used */
export async function openPages(options: PagesOptions): Promise<Pages> {
  const {node, address, clock, logger, stateDir} = options
  const tokens = createTokens(clock)
  let link: NatsLink | undefined
  const listener = address === 'off' ? undefined : await listenHttp({address, load, logger})

  // Made at once: monitoring reads it from its file before it sends a request.
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
    const {openLink, readOverview, renderMetrics} = await options.ready
    const {createApp} = await import('./app.ts')
    link ??= openLink()
    return createApp({
      ...options,
      readOverview,
      renderMetrics,
      link,
      tokens,
      sessions: createSessions(Buffer.from(keepSecret(join(stateDir, 'session-key'), logger)), clock),
      metricsToken,
    })
  }
}
