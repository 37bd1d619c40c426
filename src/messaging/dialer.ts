/** Connects, as often as needed, to one of the known servers: those of the options, and those that a server has announced since. */
import type {NatsConnection} from 'nats'
import {type ConnectOptions, connectToAny} from './connection.ts'
import {listServers, toLearntServers} from './servers.ts'

export interface Dialer {
  /** The server that was lost last is tried last. @throws as connectNats */
  dial(options: ConnectOptions): Promise<NatsConnection>
  /** The known servers, the present one first. */
  servers(): readonly string[]
}

interface Present {
  readonly connection: NatsConnection
  readonly server: string
  readonly options: ConnectOptions
}

export function createDialer(): Dialer {
  let present: Present | undefined

  return {
    dial: async (options) => {
      const [url = options.url, ...servers] = present ? toNextServers(options, present) : listServers(options)
      present = {...(await connectToAny({...options, url, servers})), options}
      return present.connection
    },
    servers: () => (present ? [...new Set([present.server, ...listServers(present.options), ...listLearnt(present)])] : []),
  }
}

function toNextServers(options: ConnectOptions, lost: Present): readonly string[] {
  const all = [...new Set([...listServers(options), ...listLearnt(lost)])]
  return [...all.filter((server) => server !== lost.server), ...all.filter((server) => server === lost.server)]
}

function listLearnt({connection, options}: Present): readonly string[] {
  return toLearntServers(connection.info?.connect_urls ?? [], options)
}
