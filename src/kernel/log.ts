import {writeSync} from 'node:fs'
import {type DestinationStream, type Logger as PinoLogger, pino} from 'pino'

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child'>

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
