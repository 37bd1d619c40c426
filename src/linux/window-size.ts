import {check, libc} from './libc.ts'

/** asm-generic/ioctls.h */
const TIOCGWINSZ = 0x5413
const TIOCSWINSZ = 0x5414
/** struct winsize: rows and columns, 16 bits each, and two unused fields (ioctl_tty(2)). */
const winsize = {bytes: 8, rows: 0, columns: 2} as const

export interface WindowSize {
  readonly columns: number
  readonly rows: number
}

/** Sets the size of a terminal, through either end. A change sends SIGWINCH to the foreground processes. @throws SystemCallError */
export function setWindowSize(fd: number, {columns, rows}: WindowSize): void {
  const size = Buffer.alloc(winsize.bytes)
  size.writeUInt16LE(rows, winsize.rows)
  size.writeUInt16LE(columns, winsize.columns)
  check('TIOCSWINSZ', libc.ioctl(fd, TIOCSWINSZ, size))
}

/** @throws SystemCallError */
export function getWindowSize(fd: number): WindowSize {
  const size = Buffer.alloc(winsize.bytes)
  check('TIOCGWINSZ', libc.ioctl(fd, TIOCGWINSZ, size))
  return {columns: size.readUInt16LE(winsize.columns), rows: size.readUInt16LE(winsize.rows)}
}
