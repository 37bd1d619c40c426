import {execFileSync} from 'node:child_process'
import {mkdirSync, rmSync, truncateSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, describe, expect, it} from 'vitest'
import {resolveUser} from '../../../src/runtime/spec/user.ts'
import {makeTempDir} from '../support/temp-dir.ts'

const passwd = `# users
#old:x:77:77:::
root:x:0:0:root:/root:/bin/sh

ann:x:1000:1000:Ann,,,:/home/ann:/bin/sh
homeless:x:1001:1001:::
broken:x:many:1:::
`
const group = `root:x:0:
ann:x:1000:
sudo:x:27:ann
video:x:44:bob,ann
annex:x:45:annex
own:x:1000:ann
broken:x:none:
`

function makeRootfs(files: Readonly<Record<string, string>>) {
  const dir = makeTempDir()
  mkdirSync(join(dir.path, 'etc'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir.path, 'etc', name), text)
  return dir
}

const rootfs = makeRootfs({passwd, group})
const empty = makeRootfs({})
afterAll(() => {
  rootfs[Symbol.dispose]()
  empty[Symbol.dispose]()
})

describe('a user', () => {
  it.each([
    ['root', {uid: 0, gid: 0, additionalGids: [], home: '/root'}],
    ['0', {uid: 0, gid: 0, additionalGids: [], home: '/root'}],
    ['ann', {uid: 1000, gid: 1000, additionalGids: [27, 44], home: '/home/ann'}],
    ['1000', {uid: 1000, gid: 1000, additionalGids: [27, 44], home: '/home/ann'}],
    ['homeless', {uid: 1001, gid: 1001, additionalGids: [], home: '/'}],
    ['4242', {uid: 4242, gid: 0, additionalGids: [], home: '/'}],
    ['ann:video', {uid: 1000, gid: 44, additionalGids: [], home: '/home/ann'}],
    ['ann:44', {uid: 1000, gid: 44, additionalGids: [], home: '/home/ann'}],
    ['4242:4343', {uid: 4242, gid: 4343, additionalGids: [], home: '/'}],
    ['ann:', {uid: 1000, gid: 1000, additionalGids: [27, 44], home: '/home/ann'}],
    ['4294967294:4294967294', {uid: 4294967294, gid: 4294967294, additionalGids: [], home: '/'}],
  ])('%s is %j', (user, resolved) => {
    expect(resolveUser(rootfs.path, user)).toEqual(resolved)
  })

  it('can be a number, but not a name, when there are no files', () => {
    expect(resolveUser(empty.path, '0')).toEqual({uid: 0, gid: 0, additionalGids: [], home: '/'})
    expect(resolveUser(empty.path, '5:6')).toEqual({uid: 5, gid: 6, additionalGids: [], home: '/'})
    expect(() => resolveUser(empty.path, 'root')).toThrow(expect.objectContaining({code: 'USER_NOT_FOUND'}))
  })

  it.each([
    ['bob', 'user', 'bob', '/etc/passwd'],
    ['ROOT', 'user', 'ROOT', '/etc/passwd'],
    ['-1', 'user', '-1', '/etc/passwd'],
    ['1.5', 'user', '1.5', '/etc/passwd'],
    ['4294967295', 'user', '4294967295', '/etc/passwd'],
    ['99999999999', 'user', '99999999999', '/etc/passwd'],
    [':5', 'user', '', '/etc/passwd'],
    ['#', 'user', '#', '/etc/passwd'],
    ['#old', 'user', '#old', '/etc/passwd'],
    ['broken', 'user', 'broken', '/etc/passwd'],
    ['ann:nobody', 'group', 'nobody', '/etc/group'],
    ['0:4294967295', 'group', '4294967295', '/etc/group'],
    ['0:-5', 'group', '-5', '/etc/group'],
  ])('%s is not found', (user, what, name, file) => {
    expect(() => resolveUser(rootfs.path, user)).toThrow(
      expect.objectContaining({
        code: 'USER_NOT_FOUND',
        kind: 'invalid',
        message: `expected a ${what} of the container's ${file} or a number, got ${JSON.stringify(name)}`,
        details: {[what]: name},
      }),
    )
  })

  it('with more than one group is refused', () => {
    expect(() => resolveUser(rootfs.path, '0:0:junk')).toThrow(expect.objectContaining({code: 'USER_NOT_FOUND'}))
  })

  it('is not found when /etc is a file', () => {
    using dir = makeTempDir()
    writeFileSync(join(dir.path, 'etc'), '')
    expect(() => resolveUser(dir.path, 'root')).toThrow(expect.objectContaining({code: 'USER_NOT_FOUND'}))
    expect(resolveUser(dir.path, '5')).toMatchObject({uid: 5})
  })

  it.each(['passwd', 'group'])('is not looked up in a %s that is not a regular file, or that is huge', (name) => {
    using dir = makeTempDir()
    mkdirSync(join(dir.path, 'etc', name), {recursive: true})
    expect(() => resolveUser(dir.path, '0')).toThrow(expect.objectContaining({code: 'ROOTFS_INVALID'}))
    rmSync(join(dir.path, 'etc', name), {recursive: true})
    execFileSync('mkfifo', [join(dir.path, 'etc', name)])
    expect(() => resolveUser(dir.path, '0')).toThrow(/expected a regular file/)
    rmSync(join(dir.path, 'etc', name))
    writeFileSync(join(dir.path, 'etc', name), '')
    truncateSync(join(dir.path, 'etc', name), 8 * 1024 ** 3)
    expect(() => resolveUser(dir.path, '0')).toThrow(/at most 4194304 bytes, got 8589934592/)
  })
})
