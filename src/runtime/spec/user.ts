/** `--user` as in docker, looked up in the passwd and group files of the container. */
import {closeSync, fstatSync} from 'node:fs'
import {TallyError} from '../../kernel/errors.ts'
import {lookInRoot} from '../open-in-root.ts'
import {readOpenFile} from '../read-text-file.ts'

/** The limit for a passwd or group file, which the coordinator reads into its memory. */
const mostBytes = 4 * 1024 * 1024

export interface ResolvedUser {
  readonly uid: number
  readonly gid: number
  /** Further groups that list the user as a member; none when a group was named. */
  readonly additionalGids: readonly number[]
  readonly home: string
}

/**
 * @param user `name`, `uid`, `name:group` or `uid:gid`; a numeric uid need not be in the file.
 * @throws TallyError USER_NOT_FOUND, and as assertAccountFiles
 */
export function resolveUser(rootfs: string, user: string): ResolvedUser {
  const [name = '', group, ...more] = user.split(':')
  if (more.length > 0) throw notFound('user', user, '/etc/passwd')
  const entry = readTable(rootfs, '/etc/passwd').find((row) => row[0] === name || row[2] === name)
  const uid = toId(entry?.[2] ?? name)
  if (uid === undefined) throw notFound('user', name, '/etc/passwd')
  const groups = readTable(rootfs, '/etc/group')
  const home = entry?.[5] || '/'
  if (group === undefined || group === '') {
    const gid = toId(entry?.[3]) ?? 0
    const memberOf = entry ? groups.filter((row) => (row[3] ?? '').split(',').includes(entry[0] ?? '')) : []
    return {uid, gid, additionalGids: memberOf.flatMap((row) => toId(row[2]) ?? []).filter((id) => id !== gid), home}
  }
  const gid = toId(groups.find((row) => row[0] === group)?.[2] ?? group)
  if (gid === undefined) throw notFound('group', group, '/etc/group')
  return {uid, gid, additionalGids: [], home}
}

function notFound(what: string, name: string, file: string): TallyError {
  return new TallyError('USER_NOT_FOUND', `expected a ${what} of the container's ${file} or a number, got ${JSON.stringify(name)}`, {
    details: {[what]: name},
  })
}

/** A uid or gid: 0 to 2^32-2, the highest being "no change" to the kernel. */
function toId(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined
  const id = Number(text)
  return id < 2 ** 32 - 1 ? id : undefined
}

/**
 * Checks the files before the OCI runtime reads them: it would wait for a FIFO, and read a large file completely.
 * @throws TallyError ROOTFS_INVALID for a file that is not regular, or too large
 */
export function assertAccountFiles(rootfs: string): void {
  for (const file of ['/etc/passwd', '/etc/group']) {
    const found = look(rootfs, file)
    if (found) closeSync(found.fd)
  }
}

function readTable(rootfs: string, file: string): readonly (readonly string[])[] {
  const found = look(rootfs, file)
  if (!found) return []
  return readOpenFile(found.fd, mostBytes)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'))
}

function look(rootfs: string, file: string): {readonly fd: number} | undefined {
  const found = lookInRoot(rootfs, file)
  const invalid = (why: string) => new TallyError('ROOTFS_INVALID', `cannot use ${file} of the container: ${why}`, {details: {file}})
  if (found.type === 'other') throw invalid('expected a regular file')
  if (found.type === 'nothing') return undefined
  const {size} = fstatSync(found.fd)
  if (size <= mostBytes) return found
  closeSync(found.fd)
  throw invalid(`expected at most ${mostBytes} bytes, got ${size}`)
}
