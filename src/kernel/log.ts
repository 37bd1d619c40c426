import {writeSync} from 'node:fs'
import {type DestinationStream, pino} from 'pino'

/** Every line has these already: a second of the same name would be lost to whoever parses it. */
type Reserved = {readonly [K in 'pid' | 'name' | 'level' | 'time' | 'msg' | 'container']?: never}
interface Log {
  (message: string): void
  <F extends object>(fields: F & Reserved, message: string): void
}
type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export type Logger = {readonly [L in Level]: Log} & {
  /** Whose lines name a container. */
  child(bindings: {readonly container: string}): Logger
}

/**
 * Structured diagnostics, JSON Lines. Not the ledger: nothing that a user relies on may be only here.
 * Written synchronously: a process that is killed has said what it knew.
 * @param fd where the lines go; 2 unless told.
 */
export function createLogger(name: string, {fd = 2, level = process.env['TALLY_LOG_LEVEL'] ?? 'info'} = {}): Logger {
  const sink: DestinationStream = {
    write: (line) => {
      try {
        writeSync(fd, line)
      } catch {
        // A full disk must not end whoever complains of it.
      }
    },
  }
  return pino({name, level, base: {pid: process.pid}, timestamp: () => `,"time":"${new Date().toISOString()}"`}, sink)
}

export const silentLogger: Logger = pino({level: 'silent'})
