/**
 * A control group within the group of a container, by which all of its processes can be found, whatever sessions and parents they choose.
 * It has no limits of its own: on v2 no controller is enabled in it, on v1 it is in the hierarchy of the freezer only.
 */
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {type CgroupMount, parseMounts, readCgroupProcesses, removeCgroup} from './cgroup.ts'

export interface SubGroup {
  /** The argument for `runc exec --cgroup`. */
  readonly forRuntime: string
  list(): readonly number[]
  /** Sends SIGKILL to all of its processes; as far as the kernel can freeze them, none can fork in the meantime. */
  kill(): void
  /** Idempotent. @returns false when there is still a process in it */
  remove(): boolean
}

/**
 * Makes the group, or finds it.
 * @param cgroups directories of the container's groups
 * @returns undefined where there can be no such group
 */
export function makeSubGroup(cgroups: readonly string[], name: string): SubGroup | undefined {
  const place = findPlace(cgroups, parseMounts(readFileSync('/proc/self/mountinfo', 'utf8')))
  if (!place) return undefined
  const directory = join(place.directory, name)
  try {
    mkdirSync(directory, {recursive: true})
  } catch {
    // The container has ended, or allows no more groups.
    return undefined
  }
  return {
    forRuntime: `${place.controller}/${name}`,
    list: () => readCgroupProcesses(directory),
    kill: () => {
      const thaw = killOrFreeze(directory)
      for (const pid of readCgroupProcesses(directory)) kill(pid)
      thaw()
    },
    remove: () => removeCgroup(directory),
  }
}

/** Pure. */
export function findPlace(
  cgroups: readonly string[],
  mounts: readonly CgroupMount[],
): {readonly directory: string; readonly controller: '' | 'freezer:'} | undefined {
  const below = ({directory}: CgroupMount) => cgroups.find((group) => group.startsWith(`${directory}/`))
  const freezer = mounts.find(({type, options}) => type === 'cgroup' && options.includes('freezer'))
  const onFreezer = freezer && below(freezer)
  if (onFreezer !== undefined) return {directory: onFreezer, controller: 'freezer:'}
  // On a hybrid host, v2 may lack the container's group, which the runtime would look for.
  if (mounts.some(({type}) => type === 'cgroup')) return undefined
  const unified = mounts.find(({type}) => type === 'cgroup2')
  const onUnified = unified && below(unified)
  return onUnified === undefined ? undefined : {directory: onUnified, controller: ''}
}

/** `cgroup.kill` exists from Linux 5.14 on, `freezer.state` on v1. @returns thaws them, so that they can end */
function killOrFreeze(directory: string): () => void {
  const state = join(directory, 'freezer.state')
  if (existsSync(state)) {
    write(state, 'FROZEN')
    return () => write(state, 'THAWED')
  }
  write(join(directory, 'cgroup.kill'), '1')
  return () => {}
}

function write(file: string, text: string): void {
  try {
    if (existsSync(file)) writeFileSync(file, text)
  } catch {
    // The group is gone, and its processes with it.
  }
}

/** It may have ended since it was listed. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {}
}
