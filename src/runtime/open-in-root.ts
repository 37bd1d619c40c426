/**
 * Opens a file below a directory that a container can change at any moment, as a process with that root directory would find it. What is
 * opened MUST be a regular file below it; achieved by resolving one name at a time, with O_PATH and O_NOFOLLOW (open(2)), so that the
 * kernel follows no link, waits for no FIFO and opens no device.
 */
import {closeSync, constants, fstatSync, openSync, readlinkSync} from 'node:fs'

const mostLinks = 40
/** O_PATH (open(2)), which Node.js does not define. It has the same value on all machines that Node.js supports. */
export const pathOnly = 0o10000000

/** A regular file with a descriptor to read from, something else, or nothing. */
export type Found = {readonly type: 'file'; readonly fd: number} | {readonly type: 'other'} | {readonly type: 'nothing'}

/** @returns a descriptor to read from; undefined when there is no such file */
export function openInRoot(root: string, path: string): number | undefined {
  const found = lookInRoot(root, path)
  return found.type === 'file' ? found.fd : undefined
}

export function lookInRoot(root: string, path: string): Found {
  const directories: number[] = []
  try {
    directories.push(openPath(root, constants.O_DIRECTORY))
    let todo = path.split('/').filter(isName)
    for (let links = 0; todo.length > 0; ) {
      const [part = '', ...rest] = todo
      const here = `/proc/self/fd/${directories.at(-1)}/${part}`
      todo = rest
      if (part === '..') {
        if (directories.length > 1) closeSync(directories.pop() ?? -1)
        continue
      }
      const fd = openPath(here, constants.O_NOFOLLOW)
      const stat = fstatSync(fd)
      if (stat.isDirectory()) {
        directories.push(fd)
        continue
      }
      using _closed = {[Symbol.dispose]: () => closeSync(fd)}
      if (stat.isSymbolicLink()) {
        links += 1
        if (links > mostLinks) return {type: 'nothing'}
        const target = readlinkSync(here)
        if (target.startsWith('/')) for (const above of directories.splice(1)) closeSync(above)
        todo = [...target.split('/').filter(isName), ...todo]
      } else {
        if (todo.length > 0) return {type: 'nothing'}
        if (!stat.isFile()) return {type: 'other'}
        return {type: 'file', fd: openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY | constants.O_NONBLOCK)}
      }
    }
    return {type: 'other'}
  } catch {
    // It does not exist, or has just been removed.
    return {type: 'nothing'}
  } finally {
    for (const fd of directories) closeSync(fd)
  }
}

function openPath(path: string, flags: number): number {
  return openSync(path, pathOnly | flags)
}

function isName(part: string): boolean {
  return part !== '' && part !== '.'
}
