import {readdirSync, readlinkSync} from 'node:fs'

export interface Descriptor {
  readonly fd: number
  /** A path, with ` (deleted)` behind it when it is gone; or what the kernel calls that which has none. */
  readonly target: string
}

/** What a process has open, from /proc (proc(5)); nothing when there is no such process. */
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
