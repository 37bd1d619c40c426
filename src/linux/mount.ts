/** mount(2) and umount2(2), with options as in fstab(5). */
import {existsSync, readFileSync, realpathSync} from 'node:fs'
import {check, libc} from './libc.ts'

export interface MountOptions {
  /** `overlay`, `tmpfs`, …; `bind` stands for the option of that name. */
  readonly type: string
  readonly source: string
  readonly target: string
  readonly options?: readonly string[]
}

/** sys/mount.h */
const MS_RDONLY = 1 << 0
const MS_REMOUNT = 1 << 5
const MS_BIND = 1 << 12
const MS_REC = 1 << 14
const MNT_DETACH = 2
const UMOUNT_NOFOLLOW = 8

/** The flags that an option sets or clears. All other options are data for the file system. */
const flagOptions: ReadonlyMap<string, {readonly set?: number; readonly clear?: number}> = new Map([
  ['defaults', {}],
  ['ro', {set: MS_RDONLY}],
  ['rw', {clear: MS_RDONLY}],
  ['nosuid', {set: 1 << 1}],
  ['suid', {clear: 1 << 1}],
  ['nodev', {set: 1 << 2}],
  ['dev', {clear: 1 << 2}],
  ['noexec', {set: 1 << 3}],
  ['exec', {clear: 1 << 3}],
  ['sync', {set: 1 << 4}],
  ['async', {clear: 1 << 4}],
  ['remount', {set: MS_REMOUNT}],
  ['mand', {set: 1 << 6}],
  ['dirsync', {set: 1 << 7}],
  ['noatime', {set: 1 << 10}],
  ['atime', {clear: 1 << 10}],
  ['nodiratime', {set: 1 << 11}],
  ['bind', {set: MS_BIND}],
  ['rbind', {set: MS_BIND | MS_REC}],
  ['relatime', {set: 1 << 21}],
  ['strictatime', {set: 1 << 24}],
])
/** Propagation, which takes a call of its own. */
const propagations: ReadonlyMap<string, number> = new Map([
  ['private', 1 << 18],
  ['rprivate', (1 << 18) | MS_REC],
  ['slave', 1 << 19],
  ['rslave', (1 << 19) | MS_REC],
  ['shared', 1 << 20],
  ['rshared', (1 << 20) | MS_REC],
  ['unbindable', 1 << 17],
  ['runbindable', (1 << 17) | MS_REC],
])

export interface ParsedOptions {
  readonly flags: number
  readonly propagation: readonly number[]
  readonly data: string
}

export function parseMountOptions(type: string, options: readonly string[] = []): ParsedOptions {
  let flags = type === 'bind' ? MS_BIND : 0
  const data: string[] = []
  for (const option of options) {
    const flag = flagOptions.get(option)
    if (flag) flags = (flags | (flag.set ?? 0)) & ~(flag.clear ?? 0)
    else if (!propagations.has(option)) data.push(option)
  }
  return {flags, propagation: options.flatMap((option) => propagations.get(option) ?? []), data: data.join(',')}
}

/** @throws SystemCallError; nothing is mounted then */
export function mount({type, source, target, options}: MountOptions): void {
  const {flags, propagation, data} = parseMountOptions(type, options)
  const isBind = (flags & MS_BIND) !== 0
  // The kernel ignores data of a bind mount.
  if (isBind && data) throw new Error(`a bind mount has no option ${data}`)
  check('mount', libc.mount(source, target, isBind ? null : type, isBind ? flags & (MS_BIND | MS_REC) : flags, data || null))
  try {
    // The kernel takes other flags of a bind mount only in a second call.
    if (isBind && (flags & ~(MS_BIND | MS_REC)) !== 0) {
      check('mount', libc.mount(null, target, null, (flags & ~MS_REC) | MS_REMOUNT, null))
    }
    for (const flag of propagation) check('mount', libc.mount(null, target, null, flag, null))
  } catch (error) {
    libc.umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW)
    throw error
  }
}

/** Unmounts what was mounted there last; if it is in use, it disappears with its last user. @throws SystemCallError */
export function unmount(target: string): void {
  if (libc.umount2(target, UMOUNT_NOFOLLOW) === 0) return
  check('umount2', libc.umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW))
}

/** Mount points at a directory or below it, without symbolic links, the latest mount first. From /proc/self/mountinfo (proc(5)). */
export function listMountsBelow(path: string): readonly string[] {
  const directory = existsSync(path) ? realpathSync(path) : path
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => fromOctal(line.split(' ')[4] ?? ''))
    .filter((target) => target === directory || target.startsWith(`${directory}/`))
    .toReversed()
}

/** In mountinfo, spaces, tabs, newlines and backslashes are octal. */
function fromOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}
