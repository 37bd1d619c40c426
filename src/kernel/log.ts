/** Structured diagnostics, JSON Lines, with the fields and levels of pino. Not the ledger: nothing that users rely on may be only here. */
import {writeSync} from 'node:fs'
import {toPlain} from './plain.ts'

/** Every line has these fields already: a parser would drop a second field of the same name. */
type Reserved = {readonly [K in 'pid' | 'name' | 'level' | 'time' | 'msg' | 'container']?: never}
interface Log {
  (message: string): void
  <F extends object>(fields: F & Reserved, message: string): void
}
const levels = {trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60} as const
type Level = keyof typeof levels

export type Logger = {readonly [L in Level]: Log} & {
  /** A logger whose lines name a container. */
  child(bindings: {readonly container: string}): Logger
}

/**
 * Lines are written synchronously, so that nothing is lost when the process is killed.
 * @param fd where the lines go; 2 by default
 * @param level the lowest that is written; `silent` for none, and `info` for any other word
 */
export function createLogger(name: string, {fd = 2, level = process.env['TALLY_LOG_LEVEL'] ?? 'info'} = {}): Logger {
  const lowest = level === 'silent' ? Number.POSITIVE_INFINITY : isLevel(level) ? levels[level] : levels.info
  return createWith({pid: process.pid, name}, (line) => writeOut(fd, line), lowest)
}

function createWith(bindings: Readonly<Record<string, unknown>>, write: (line: string) => void, lowest: number): Logger {
  const at = (level: Level): Log => {
    const value = levels[level]
    if (value < lowest) return () => {}
    return (fields: object | string, message?: string) => {
      const line = {
        level: value,
        time: new Date().toISOString(),
        ...bindings,
        ...(typeof fields === 'string' ? {msg: fields} : {...fields, msg: message}),
      }
      write(`${JSON.stringify(toPlain(line))}\n`)
    }
  }
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    child: (more) => createWith({...bindings, ...more}, write, lowest),
  }
}

function isLevel(level: string): level is Level {
  return Object.hasOwn(levels, level)
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

export const silentLogger: Logger = createWith({}, () => {}, Number.POSITIVE_INFINITY)
