/** Descriptors that a process is to inherit. Once it has them, ours are closed. */
import {closeSync} from 'node:fs'

export interface ChildDescriptors extends Disposable {
  /** @returns the same descriptor */
  add(fd: number): number
  /** Closes what was added. Idempotent. */
  release(): void
}

export function createChildDescriptors(): ChildDescriptors {
  const open: number[] = []
  const release = () => {
    for (const fd of open.splice(0)) closeSync(fd)
  }
  return {
    add: (fd) => {
      open.push(fd)
      return fd
    },
    release,
    [Symbol.dispose]: release,
  }
}
