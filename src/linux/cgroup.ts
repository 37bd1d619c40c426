/** Control groups as the kernel shows them: v1, v2 and both at once (hybrid). */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'

/**
 * The directories that account for a process, one per mounted hierarchy; the root group of a hierarchy is left out, since
 * it accounts for everything. From /proc/<pid>/cgroup (cgroups(7)) and /proc/self/mountinfo (proc(5)).
 */
export function readCgroupDirectories(pid: number): readonly string[] {
  const mounts = readCgroupMounts()
  return readFileSync(`/proc/${pid}/cgroup`, 'utf8')
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const [, controllers = '', ...path] = line.split(':')
      const group = path.join(':')
      const mount = mounts.find((candidate) => serves(candidate, controllers))
      return mount && group !== '/' ? [join(mount.directory, group)] : []
    })
}

/** Processes in a group, itself and not its children; none when the group is gone. */
export function readCgroupProcesses(directory: string): readonly number[] {
  try {
    return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

interface CgroupMount {
  readonly directory: string
  readonly type: string
  readonly options: readonly string[]
}

function readCgroupMounts(): readonly CgroupMount[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [before = '', after = ''] = line.split(' - ')
      const [type = '', , options = ''] = after.split(' ')
      const directory = before.split(' ')[4]
      return directory && type.startsWith('cgroup') ? [{directory, type, options: options.split(',')}] : []
    })
}

/** v2 has no controllers in its line; v1 names those of the mount, or a `name=`. */
function serves(mount: CgroupMount, controllers: string): boolean {
  if (controllers === '') return mount.type === 'cgroup2'
  return mount.type === 'cgroup' && controllers.split(',').every((controller) => mount.options.includes(controller))
}
