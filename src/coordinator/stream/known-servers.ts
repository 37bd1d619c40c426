/** Which servers of a cluster the connection file names, so that whoever reads it finds one that lives. */
import {Events, type NatsConnection} from 'nats'
import {readConnection} from '../../messaging/connection.ts'
import {listServers, type NatsAccess} from '../../messaging/servers.ts'

/** @param known the first is the one that is to be tried first */
export function withServers(access: NatsAccess, known: readonly string[]): NatsAccess {
  const servers = [...new Set([...known, ...listServers(access)])]
  const [url = access.url] = servers
  return {...access, url, ...(servers.length > 1 && {servers})}
}

/** What a former coordinator had learnt, if that was the same cluster: those that we are told of may all be away. */
export async function readFormerServers(connectionFile: string, access: NatsAccess): Promise<readonly string[]> {
  const former = await readConnection(connectionFile).catch(() => undefined)
  const [told, known] = [listServers(access), former ? listServers(former) : []]
  return known.some((server) => told.includes(server)) ? [...told, ...known] : told
}

/** Calls `onServers` now, and whenever the cluster tells of a server that has come or gone. Resolves when the connection ends. */
export async function followServers(connection: NatsConnection, onServers: () => Promise<void>): Promise<void> {
  await onServers()
  for await (const {type} of connection.status()) if (type === Events.Update) await onServers()
}
