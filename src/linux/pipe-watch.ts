/**
 * Reports that a pipe can be read, without reading it, or that it has room, without writing, which the streams of Node.js cannot. The
 * kernel sends SIGIO for each write, or each read, at the other end (fcntl(2), O_ASYNC), and when the other end is closed.
 *
 * MUST hold: many writes do not send many signals, since libuv drops signals when 4,096 of them wait, SIGCHLD among them, and the end of a
 * process would be missed; achieved by asking for one signal only, and for the next when the pipe is empty, or full, again.
 */
import {constants} from 'node:fs'
import {check, libc} from './libc.ts'

const F_SETFL = 4
const F_SETOWN = 8
/** asm-generic/fcntl.h; O_ASYNC is FASYNC there. */
const O_ASYNC = 0o20000
const ignore = () => {}

export interface PipeWatch extends Disposable {
  /** Asks for the next change. What has changed already is not reported, so look at the pipe once more afterwards. Idempotent. */
  arm(): void
}

/**
 * Calls `onChange` once, when something may have changed at the other end, and again after `arm`. It may be called without a reason.
 * @param pipe open for reading only or for writing only: if it were open for both, our own reads and writes would be reported
 * @throws SystemCallError
 */
export function watchPipe(pipe: number, onChange: () => void): PipeWatch {
  // Never removed: a signal that comes after the last pipe was closed would end this process if nothing handled it.
  if (!process.listeners('SIGIO').includes(ignore)) process.on('SIGIO', ignore)
  // One listener for each pipe.
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
