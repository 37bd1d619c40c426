import {readdirSync, readlinkSync} from 'node:fs'

export interface Descriptor {
  readonly fd: number
  /** A path, followed by ` (deleted)` when the file was removed; or the kernel's name for what has no path. */
  readonly target: string
}

/** What a process has open, from /proc (proc(5)); empty when there is no such process. */
export function listDescriptors(pid: number | 'self'): readonly Descriptor[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
      try {
        return [{fd: Number(name), target: readlinkSync(`/proc/${pid}/fd/${name}`)}]
      } catch {
        return []
      }
    })
  } catch {
    return []
  }
}
