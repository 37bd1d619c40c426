import {mkdirSync, readFileSync, rmdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, onTestFinished, test} from 'vitest'
import {parseMounts, readCgroupDirectories, readCgroupProcesses, toDirectories} from '../../../src/linux/cgroup.ts'
import {reapChild} from '../../../src/linux/wait.ts'
import {cgroupHierarchies} from '../../support/proc.ts'
import {spawnSleepingOrphan} from '../../support/orphan.ts'

const v2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate'
const v1 = [
  '25 30 0:22 / /proc rw,nosuid - proc proc rw',
  '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
  '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct',
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
  '40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd',
].join('\n')
const hybrid = `${v1}\n41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw`

test('on v2 there is one directory', () => {
  expect(toDirectories('0::/tally-default-web-1\n', parseMounts(v2))).toEqual(['/sys/fs/cgroup/tally-default-web-1'])
})

test('on v1 there is one for each hierarchy, wherever its controllers are mounted together', () => {
  const text = '5:name=systemd:/web\n4:memory:/web\n3:cpu,cpuacct:/web\n2:pids:/web\n'
  expect(toDirectories(text, parseMounts(v1))).toEqual([
    '/sys/fs/cgroup/systemd/web',
    '/sys/fs/cgroup/memory/web',
    '/sys/fs/cgroup/cpu,cpuacct/web',
  ])
})

test('on a hybrid host the v2 line belongs to the v2 mount', () => {
  expect(toDirectories('4:memory:/web\n0::/web\n', parseMounts(hybrid))).toEqual([
    '/sys/fs/cgroup/memory/web',
    '/sys/fs/cgroup/unified/web',
  ])
})

test('the root group belongs to no process alone', () => {
  expect(toDirectories('4:memory:/\n0::/\n', parseMounts(hybrid))).toEqual([])
})

test('a colon in the name of a group is part of its path', () => {
  expect(toDirectories('0::/a:b/c\n', parseMounts(v2))).toEqual(['/sys/fs/cgroup/a:b/c'])
})

test('where only a part of the host’s tree is mounted, paths are taken from there and groups outside are left out', () => {
  const mounts = parseMounts('30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw')
  expect(toDirectories('0::/docker/abc/web\n', mounts)).toEqual(['/sys/fs/cgroup/web'])
  expect(toDirectories('0::/docker/abcd/web\n', mounts)).toEqual([])
  expect(toDirectories('0::/docker/abc\n', mounts)).toEqual([])
})

test('a process in groups of its own has these, and one in the groups of this process has none', () => {
  const name = `tally-it-${process.pid}`
  const groups = cgroupHierarchies()
    .filter((hierarchy) => !hierarchy.endsWith('/cpuset'))
    .map((hierarchy) => join(hierarchy, name))
  const [ours, sleeping] = [spawnSleepingOrphan(), spawnSleepingOrphan()]
  onTestFinished(async () => {
    for (const pid of [ours, sleeping]) process.kill(pid, 'SIGKILL')
    await expect.poll(() => [ours, sleeping].map((pid) => reapChild(pid).type)).toEqual(['not-a-child', 'not-a-child'])
    for (const group of groups) for (const directory of [join(group, 'below'), group]) await expect.poll(() => remove(directory)).toBe(true)
  })
  for (const group of groups) {
    mkdirSync(join(group, 'below'), {recursive: true})
    writeFileSync(join(group, 'cgroup.procs'), String(sleeping))
  }
  expect(readCgroupDirectories(sleeping).toSorted()).toEqual(groups.toSorted())
  expect(readCgroupDirectories(ours)).toEqual([])
  for (const group of groups) expect(readCgroupProcesses(group)).toEqual([sleeping])

  const [first = ''] = groups
  writeFileSync(join(first, 'below/cgroup.procs'), String(sleeping))
  expect(readFileSync(join(first, 'cgroup.procs'), 'utf8')).toBe('')
  expect(readCgroupProcesses(first)).toEqual([sleeping])
})

test('a group that is gone has no processes', () => {
  expect(readCgroupProcesses('/sys/fs/cgroup/tally-never-was')).toEqual([])
})

function remove(directory: string): boolean {
  try {
    rmdirSync(directory)
    return true
  } catch {
    return false
  }
}
