/** What every handler of a request finds in its context. */
import type {HttpBindings} from '@hono/node-server'
import type {Hono} from 'hono'
import type {Session} from './sessions.ts'

export interface AppEnvironment {
  readonly Bindings: HttpBindings
  /** `host` once it is checked, `session` below /api. */
  readonly Variables: {readonly host: string | undefined; readonly session: Session}
}

export type App = Hono<AppEnvironment>
