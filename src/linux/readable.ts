/**
 * Being told that a pipe can be read, without reading it, which Node's own streams cannot: the kernel sends SIGIO for each write
 * (fcntl(2), O_ASYNC). Signals that come together are one.
 */
import {constants} from 'node:fs'
import {check, libc} from './libc.ts'

const F_SETFL = 4
const F_SETOWN = 8
/** asm-generic/fcntl.h; O_ASYNC is FASYNC there. */
const O_ASYNC = 0o20000
const ignore = () => {}

/**
 * Calls `onReadable` when something may have come, or for no reason. Nothing is said of what waits already.
 * @param pipe open for reading alone: of one that is open for both, our own reading would be a reason
 * @throws SystemCallError
 */
export function watchReadable(pipe: number, onReadable: () => void): Disposable {
  // For ever: a signal that nobody handles, because the last pipe was closed a moment ago, would end this process.
  if (!process.listeners('SIGIO').includes(ignore)) process.on('SIGIO', ignore)
  // As many as there are pipes.
  process.setMaxListeners(0)
  process.on('SIGIO', onReadable)
  check('F_SETOWN', libc.fcntl(pipe, F_SETOWN, process.pid))
  check('F_SETFL', libc.fcntl(pipe, F_SETFL, constants.O_NONBLOCK | O_ASYNC))
  return {
    [Symbol.dispose]: () => {
      check('F_SETFL', libc.fcntl(pipe, F_SETFL, constants.O_NONBLOCK))
      process.off('SIGIO', onReadable)
    },
  }
}
