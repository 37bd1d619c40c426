import {InvalidArgumentError} from 'commander'
import {describe, expect, it} from 'vitest'
import {parseMount, parseRootfsMount} from '../../../src/cli/mount-arguments.ts'
import {parseTmpfs, parseVolume} from '../../../src/cli/volume-arguments.ts'

describe('--tmpfs', () => {
  it.each([
    ['/run', {}],
    ['/run:rw,noexec,nosuid,size=64k,mode=700', {sizeBytes: 65_536, mode: 0o700}],
    ['/run:exec,suid,dev,ro', {exec: true, suid: true, dev: true, readOnly: true}],
    ['/run:uid=1000,gid=50,nr_inodes=10k,noatime', {uid: 1000, gid: 50, inodes: 10_240, atime: 'noatime'}],
    ['/run:mode=1777', {mode: 0o1777}],
  ])('%s is understood', (text, fields) => {
    expect(parseTmpfs(text)).toStrictEqual({type: 'tmpfs', target: '/run', ...fields})
  })

  it.each([
    '',
    'run',
    '/run:',
    '/run:siez=1m',
    '/run:size=',
    '/run:size=50%',
    '/run:mode=9',
    '/run:mode=77777',
    '/run:uid=ann',
    '/run:rro',
    '/run:constructor',
    '/run:rw:ro',
  ])('%s is refused', (text) => {
    expect(() => parseTmpfs(text)).toThrow(InvalidArgumentError)
  })

  it.each([
    ['/run:exec,noexec', 'expected either exec or noexec, got both in "/run:exec,noexec"'],
    ['/run:ro,size=1m,rw', 'expected either ro or rw, got both in "/run:ro,size=1m,rw"'],
    ['/run:noatime,relatime', 'expected either noatime or relatime, got both in "/run:noatime,relatime"'],
    ['/run:size=1m,size=2m', 'expected either size=1m or size=2m, got both in "/run:size=1m,size=2m"'],
    ['/run:mode=700,mode=700', 'expected mode=700 once, got it twice in "/run:mode=700,mode=700"'],
  ])('%s contradicts itself and is refused', (text, message) => {
    expect(() => parseTmpfs(text)).toThrow(message)
  })
})

describe('-v', () => {
  it.each([
    ['/a:/b', {}],
    ['/a:/b:rw', {}],
    ['/a:/b:ro', {readOnly: true}],
    ['/a:/b:rro', {readOnly: true, recursive: 'readonly'}],
    ['/a:/b:ro,rslave', {readOnly: true, propagation: 'rslave'}],
    ['/a:/b:rshared', {propagation: 'rshared'}],
  ])('%s is understood', (text, fields) => {
    expect(parseVolume(text)).toStrictEqual({type: 'bind', source: '/a', target: '/b', ...fields})
  })

  it.each(['/a', ':/b', '/a:', '/a:/b:', '/a:/b:z', '/a:/b:ro:rw', '/a:b', '/a:/b:nocopy', '/a:/b:rro,rslave'])('%s is refused', (text) => {
    expect(() => parseVolume(text)).toThrow(InvalidArgumentError)
  })

  it.each([
    ['/a:/b:ro,rw', 'expected either ro or rw, got both in "/a:/b:ro,rw"'],
    ['/a:/b:ro,rro', 'expected either ro or rro, got both in "/a:/b:ro,rro"'],
    ['/a:/b:rslave,ro,rshared', 'expected either rslave or rshared, got both in "/a:/b:rslave,ro,rshared"'],
    ['/a:/b:ro,ro', 'expected ro once, got it twice in "/a:/b:ro,ro"'],
  ])('%s contradicts itself and is refused', (text, message) => {
    expect(() => parseVolume(text)).toThrow(message)
  })
})

describe('--mount', () => {
  const bind = {type: 'bind', source: '/a', target: '/b'}
  it.each([
    ['type=bind,src=/a,dst=/b', bind],
    ['type=bind,src=/a,dst=/b,ro=false', bind],
    ['type=bind,src=/a,dst=/b,readonly', {...bind, readOnly: true}],
    ['type=bind,src=/a,dst=/b,readonly=1,bind-recursive=readonly', {...bind, readOnly: true, recursive: 'readonly'}],
    ['type=bind,src=/a,dst=/b,bind-recursive=disabled', {...bind, recursive: 'disabled'}],
    ['type=tmpfs,dst=/b,tmpfs-mode=0700', {type: 'tmpfs', target: '/b', mode: 0o700}],
  ])('%s is understood', (text, mount) => {
    expect(parseMount(text)).toStrictEqual(mount)
  })

  it.each([
    ['type=bind,src=/a,dst=/b,readonly=maybe', /true or false/],
    ['type=bind,src=/a,dst=/b,dst=/c', /one target/],
    ['type=bind,src=,dst=/b', /src=VALUE/],
    ['type=bind,src=/a,dst=/b,bind-recursive=yes', /recursive/],
    ['type=bind,src=/a,dst=/b,bind-recursive=readonly', /readOnly beside it/],
    ['type=bind,src=/a,dst=/b,bind-recursive=writable', /readOnly beside it/],
    ['type=bind,src=/a,dst=/b,ro,bind-recursive=readonly,bind-propagation=rslave', /rprivate/],
    ['type=bind,src=/a,dst=/b,tmpfs-size=1m', /sizeBytes/],
    ['type=tmpfs,dst=/b,bind-recursive=enabled', /recursive/],
    ['type=tmpfs,dst=/b,tmpfs-mode=77x', /octal/],
    ['type=tmpfs,dst=/b,toString=1', /expected one of/],
  ])('%s is refused', (text, why) => {
    expect(() => parseMount(text)).toThrow(why)
  })

  it('of a root file system has each field once', () => {
    expect(() => parseRootfsMount('type=tmpfs,source=a,source=b')).toThrow(/one source/)
  })
})
