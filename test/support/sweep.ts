/** Ends processes and removes groups, mounts and directories by force: of tests alone. */
import {execFileSync} from 'node:child_process'
import {existsSync, rmdirSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {listChildGroups, listMountsBelow, toMountPoint} from './proc.ts'

/** SIGKILL, to one that may have ended by itself. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** Lets frozen processes run, since on cgroup v1 they cannot die before. */
export function thawGroup(cgroup: string): void {
  const file = join(cgroup, 'freezer.state')
  if (existsSync(file)) writeFileSync(file, 'THAWED')
}

/** With the groups below it; not one that still has processes. */
export function removeGroup(cgroup: string): void {
  for (const child of listChildGroups(cgroup)) removeGroup(child)
  try {
    rmdirSync(cgroup)
  } catch {
    // It is not empty: the caller looks again, or reports it.
  }
}

/** With the mounts below it. @throws Error when something stays mounted: what is removed then might be the host's */
export function removeDirectory(dir: string): void {
  for (const line of listMountsBelow(dir).toReversed()) unmount(toMountPoint(line))
  const left = listMountsBelow(dir)
  if (left.length > 0) throw new Error(`expected nothing to be mounted below ${dir}, got ${left.join('; ')}`)
  try {
    rmSync(dir, {recursive: true, force: true})
  } catch {
    // A test may have made a file immutable, or one that can only be appended to.
    execFileSync('chattr', ['-R', '-f', '-a', '-i', dir], {stdio: 'ignore'})
    rmSync(dir, {recursive: true, force: true})
  }
}

function unmount(mountPoint: string): void {
  try {
    execFileSync('umount', ['-l', mountPoint], {stdio: 'ignore'})
  } catch {
    // It went with another one.
  }
}
