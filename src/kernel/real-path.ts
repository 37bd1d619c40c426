import {readlinkSync, realpathSync} from 'node:fs'
import {basename, dirname, join, resolve} from 'node:path'
import {isMissing} from './files.ts'

/** As many symbolic links as the kernel follows (path_resolution(7)). */
const mostLinks = 40

/**
 * The path as the kernel names it in its lists of mounts and open files: without symbolic links, also without those whose target does not
 * exist yet. Where that cannot be found out, the path as it is: using it fails with the reason.
 */
export function toRealPath(path: string): string {
  return follow(resolve(path), mostLinks)
}

function follow(path: string, links: number): string {
  try {
    return realpathSync(path)
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path || links === 0) return path
    const target = readLink(path)
    if (target === undefined) return join(follow(dirname(path), links), basename(path))
    return follow(resolve(dirname(path), target), links - 1)
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    // It does not exist, or is no link.
    return undefined
  }
}
