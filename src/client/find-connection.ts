import {join} from 'node:path'
import {TallyError} from '../kernel/errors.ts'
import {type Connection, readConnection} from '../messaging/connection.ts'
import type {NatsAccess} from '../messaging/servers.ts'

export interface ConnectionWish {
  readonly runDir?: string
  readonly nats?: NatsAccess
  readonly node?: string
  readonly prefix?: string
}

export const defaultRunDir = '/run/tally'

/**
 * The contents of the node's connection file, with the options of the caller in their place: another NATS replaces all of it, with TLS and credentials.
 * @throws TallyError NODE_NOT_RUNNING, STATE_DIR_INVALID
 */
export async function findConnection({runDir = defaultRunDir, nats, node, prefix}: ConnectionWish): Promise<Connection> {
  const file = join(runDir, 'connection.json')
  const known = nats && node ? undefined : await readConnection(file)
  const access = nats ?? known
  const name = node ?? known?.node
  if (!access || !name) {
    throw new TallyError('NODE_NOT_RUNNING', `no node runs here: expected ${file}, which \`tally up\` writes, or --nats and --node`, {
      details: {file},
    })
  }
  return {...access, node: name, prefix: prefix ?? known?.prefix ?? 'tally'}
}

/** @returns as `findConnection`, and whether it is the node of this machine's run directory, as far as its file says */
export async function findNode(wish: ConnectionWish): Promise<Connection & {readonly isLocal: boolean}> {
  const connection = await findConnection(wish)
  const known = await readConnection(join(wish.runDir ?? defaultRunDir, 'connection.json')).catch(() => undefined)
  return {...connection, isLocal: known?.node === connection.node}
}
