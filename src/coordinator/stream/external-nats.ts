/** NATS servers that the user named: one, or those of a cluster, of which more become known while the node runs. */
import {Events, type NatsConnection} from 'nats'
import type {Connection} from '../../messaging/connection.ts'
import {listServers, type NatsAccess} from '../../messaging/servers.ts'

export interface ExternalNats {
  readonly type: 'external'
  /** With all servers that are known, the one to be tried first in front. */
  access(): NatsAccess
  /** All servers that are known now, the one to be tried first in front. Those that the user named stay known. */
  learn(servers: readonly string[]): void
}

/** @param former what a former coordinator has learnt */
export function createExternalNats(access: NatsAccess, former: Connection | undefined): ExternalNats {
  let known = toFormerServers(access, former)
  return {
    type: 'external',
    access: () => withServers(access, known),
    learn: (servers) => {
      known = servers
    },
  }
}

function withServers(access: NatsAccess, known: readonly string[]): NatsAccess {
  const servers = [...new Set([...known, ...listServers(access)])]
  const [url = access.url] = servers
  return {...access, url, ...(servers.length > 1 && {servers})}
}

/** Those of the same cluster: the servers that the user named may all be down. */
function toFormerServers(access: NatsAccess, former: Connection | undefined): readonly string[] {
  const [named, known] = [listServers(access), former ? listServers(former) : []]
  return known.some((server) => named.includes(server)) ? [...named, ...known] : named
}

/** Calls `onServers` now, and whenever the cluster says that a server has come or gone. Resolves when the connection ends. */
export async function followServers(connection: NatsConnection, onServers: () => Promise<void>): Promise<void> {
  await onServers()
  for await (const {type} of connection.status()) if (type === Events.Update) await onServers()
}
