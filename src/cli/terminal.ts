/** The terminal from which we are run: raw while a process has it, and afterwards as it was before, whatever happens. */
import {spawnSync} from 'node:child_process'
import type {ReadStream, WriteStream} from 'node:tty'
import type {ConsoleSize} from '../../machines/schemas/fields.ts'

const endings = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const

/**
 * Every key comes as it is pressed, ctrl-c too, and what the process draws goes to the screen unchanged: Node's own raw mode would still
 * add carriage returns to line feeds, which the process's terminal has done already. Undone when disposed of, when this process exits,
 * and when a signal ends it.
 */
export function enterRawMode(stdin: ReadStream): Disposable {
  if (!stdin.isTTY) return {[Symbol.dispose]: () => {}}
  const settings = stty('-g').trim()
  const restore = () => void stty(settings)
  const end = (signal: NodeJS.Signals) => {
    dispose()
    process.kill(process.pid, signal)
  }
  const dispose = () => {
    process.off('exit', restore)
    for (const signal of endings) process.off(signal, end)
    restore()
  }
  process.on('exit', restore)
  for (const signal of endings) process.on(signal, end)
  stty('raw', '-echo')
  return {[Symbol.dispose]: dispose}
}

/** stty(1) on our standard input. If the terminal is gone, there is nothing to set. */
function stty(...args: readonly string[]): string {
  return spawnSync('stty', args, {stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8'}).stdout ?? ''
}

/** Reports the size at once, and whenever it has changed. */
export function watchWindowSize(stdout: WriteStream, onSize: (size: ConsoleSize) => void): Disposable {
  if (!stdout.isTTY) return {[Symbol.dispose]: () => {}}
  const tell = () => {
    const {columns, rows} = stdout
    if (columns > 0 && rows > 0) onSize({columns, rows})
  }
  stdout.on('resize', tell)
  tell()
  return {[Symbol.dispose]: () => void stdout.off('resize', tell)}
}
