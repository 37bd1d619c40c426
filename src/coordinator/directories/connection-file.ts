/** The file in the run directory that tells every process of this machine how to reach the node's NATS. */
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {type Connection, readConnection, writeConnection} from '../../messaging/connection.ts'
import type {NatsAccess} from '../../messaging/servers.ts'

export interface ConnectionFile {
  /** What the file says, or will say. */
  current(): Connection
  write(): Promise<void>
  /** What it says now; undefined when there is none. */
  read(): Promise<Connection | undefined>
  exists(): boolean
}

export function toConnectionFile(runDir: string): string {
  return join(runDir, 'connection.json')
}

export interface ConnectionFileOptions {
  readonly runDir: string
  readonly node: string
  readonly prefix: string
  /** May change: a server is started at another port, a cluster gets another member. */
  readonly access: () => NatsAccess
}

export function createConnectionFile({runDir, node, prefix, access}: ConnectionFileOptions): ConnectionFile {
  const path = toConnectionFile(runDir)
  const current = () => ({...access(), node, prefix})
  return {
    current,
    write: () => writeConnection(path, current()),
    read: () => readConnection(path),
    exists: () => existsSync(path),
  }
}
