import {lstatSync, readlinkSync} from 'node:fs'
import {join} from 'node:path'

const mostLinks = 40

/**
 * Follows a path as a process confined to `root` would: a symbolic link, absolute or with `..`, never leads out of it.
 * @returns the host's path of a regular file; undefined when there is none.
 */
export function resolveInRoot(root: string, path: string): string | undefined {
  let todo = path.split('/')
  let done: readonly string[] = []
  for (let links = 0; todo.length > 0; ) {
    const [part = '', ...rest] = todo
    todo = rest
    if (part === '' || part === '.') continue
    if (part === '..') {
      done = done.slice(0, -1)
      continue
    }
    const here = join(root, ...done, part)
    const stat = lstatSync(here, {throwIfNoEntry: false})
    if (!stat) return undefined
    if (stat.isSymbolicLink()) {
      links += 1
      if (links > mostLinks) return undefined
      const target = readlinkSync(here)
      if (target.startsWith('/')) done = []
      todo = [...target.split('/'), ...todo]
    } else if (todo.every((left) => left === '' || left === '.')) {
      return stat.isFile() ? here : undefined
    } else if (!stat.isDirectory()) {
      return undefined
    } else {
      done = [...done, part]
    }
  }
  return undefined
}
