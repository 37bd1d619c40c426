import {writeSync} from 'node:fs'
import {type DestinationStream, pino} from 'pino'

/** Every line has these fields already: a parser would drop a second field of the same name. */
type Reserved = {readonly [K in 'pid' | 'name' | 'level' | 'time' | 'msg' | 'container']?: never}
interface Log {
  (message: string): void
  <F extends object>(fields: F & Reserved, message: string): void
}
type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export type Logger = {readonly [L in Level]: Log} & {
  /** A logger whose lines name a container. */
  child(bindings: {readonly container: string}): Logger
}

/**
 * Structured diagnostics, JSON Lines. Not the ledger: nothing that users rely on may be only here.
 * Written synchronously, so that nothing is lost when the process is killed.
 * @param fd where the lines go; 2 by default
 */
export function createLogger(name: string, {fd = 2, level = process.env['TALLY_LOG_LEVEL'] ?? 'info'} = {}): Logger {
  const sink: DestinationStream = {write: (line) => writeOut(fd, line)}
  return pino({name, level, base: {pid: process.pid}, timestamp: () => `,"time":"${new Date().toISOString()}"`}, sink)
}

/**
 * Writes to a descriptor that may be a file: a full disk must not end the process, as an error of `process.stdout`, which nobody handles,
 * would.
 */
export function writeOut(fd: number, text: string): void {
  try {
    writeSync(fd, text)
  } catch {
    // There is no other place where it could be reported.
  }
}

export const silentLogger: Logger = pino({level: 'silent'})
