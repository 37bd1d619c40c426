/** The terminal of whoever runs us: raw while a process has it, and as it was before, whatever happens. */
import type {ReadStream, WriteStream} from 'node:tty'
import type {ConsoleSize} from '../../machines/create-request.ts'

const endings = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const

/**
 * Every key goes to us as it is pressed, ctrl-c too. Undone when disposed of, when this process exits, and when a signal ends it,
 * which it does then.
 */
export function enterRawMode(stdin: ReadStream): Disposable {
  if (!stdin.isTTY) return {[Symbol.dispose]: () => {}}
  const restore = () => {
    // Its terminal may be gone.
    if (!stdin.destroyed) stdin.setRawMode(false)
  }
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
  stdin.setRawMode(true)
  return {[Symbol.dispose]: dispose}
}

/** Tells the size at once, and whenever it has changed. */
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
