/**
 * Being told that a pipe can be read, without reading it, or has room, without writing: Node's own streams cannot do that. The kernel
 * sends SIGIO for each write, or each read, at the other end (fcntl(2), O_ASYNC), and when that is closed.
 *
 * MUST hold: not one signal for each of many writes. libuv drops signals when 4,096 of them wait, SIGCHLD among them, and with that the
 * end of a process; achieved by asking for one alone, and for the next when the pipe is empty, or full, again.
 */
import {constants} from 'node:fs'
import {check, libc} from './libc.ts'

const F_SETFL = 4
const F_SETOWN = 8
/** asm-generic/fcntl.h; O_ASYNC is FASYNC there. */
const O_ASYNC = 0o20000
const ignore = () => {}

export interface PipeWatch extends Disposable {
  /** Asks for the next time. Nothing is said of what is so already, so look once more afterwards. Idempotent. */
  arm(): void
}

/**
 * Calls `onChange` once, when the other end may have done something, or for no reason; again after `arm`.
 * @param pipe open for reading alone or for writing alone: of one that is open for both, our own doing would be a reason
 * @throws SystemCallError
 */
export function watchPipe(pipe: number, onChange: () => void): PipeWatch {
  // For ever: a signal that nobody handles, because the last pipe was closed a moment ago, would end this process.
  if (!process.listeners('SIGIO').includes(ignore)) process.on('SIGIO', ignore)
  // As many as there are pipes.
  process.setMaxListeners(0)
  process.on('SIGIO', onSignal)
  check('F_SETOWN', libc.fcntl(pipe, F_SETOWN, process.pid))
  let armed = false
  arm()
  return {
    arm,
    [Symbol.dispose]: () => {
      disarm()
      process.off('SIGIO', onSignal)
    },
  }

  function arm(): void {
    if (armed) return
    armed = true
    check('F_SETFL', libc.fcntl(pipe, F_SETFL, constants.O_NONBLOCK | O_ASYNC))
  }

  function disarm(): void {
    if (!armed) return
    armed = false
    check('F_SETFL', libc.fcntl(pipe, F_SETFL, constants.O_NONBLOCK))
  }

  function onSignal(): void {
    if (!armed) return
    disarm()
    onChange()
  }
}
