import {execFileSync} from 'node:child_process'
import {existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {rootfsRequestSchema} from '../../../machines/schemas/create-request.ts'
import {listMountsBelow} from '../../../src/linux/mount.ts'
import {mountRootfs, unmountBelow} from '../../../src/runtime/rootfs.ts'
import {makeTempDir, type TempDir} from '../../support/temp-dir.ts'

let temp: TempDir
let lower: string
let dir: string

beforeEach(() => {
  temp = makeTempDir()
  lower = join(temp.path, 'lower, with: everything\\')
  dir = join(temp.path, 'container')
  for (const path of [lower, dir]) mkdirSync(path, {mode: 0o751})
  writeFileSync(join(lower, 'file'), 'pristine')
})

afterEach(async () => {
  unmountBelow(temp.path)
  await temp[Symbol.asyncDispose]()
})

const request = (fields: object) => rootfsRequestSchema.parse({args: ['true'], ...fields})
const tmpfs = (target?: string) => ({type: 'tmpfs', source: 'tally-test', ...(target !== undefined && {target})})

describe('an overlay over a root file system', () => {
  it('takes the changes, and leaves the directory as it was', () => {
    const {path, overlay} = mountRootfs(request({rootfs: lower, overlay: true}), dir)
    expect(overlay).toBe('disk')
    writeFileSync(join(path, 'file'), 'changed')
    writeFileSync(join(path, 'new'), '')
    expect(statSync(path).mode & 0o7777).toBe(0o751)
    unmountBelow(dir)
    expect(readFileSync(join(lower, 'file'), 'utf8')).toBe('pristine')
    expect(readdirSync(lower)).toEqual(['file'])
    expect(listMountsBelow(temp.path)).toEqual([])
  })

  it('has its changes in memory where the disk is itself an overlay', () => {
    const outer = mountRootfs(request({rootfs: lower, overlay: true}), dir).path
    const inner = join(outer, 'state')
    mkdirSync(inner)
    const {path, overlay} = mountRootfs(request({rootfs: lower, overlay: true}), inner)
    expect(overlay).toBe('memory')
    writeFileSync(join(path, 'new'), '')
    expect(readdirSync(lower)).toEqual(['file'])
  })

  it('is absent by default', () => {
    expect(mountRootfs(request({rootfs: lower}), dir)).toEqual({path: lower})
    expect(listMountsBelow(temp.path)).toEqual([])
  })
})

describe('a list of mounts', () => {
  it('is mounted in order, and unmounted in reverse', () => {
    const {path} = mountRootfs(
      request({rootfsMounts: [{type: 'bind', source: lower, options: ['ro']}, {...tmpfs(), options: ['size=1m']}, tmpfs('/a/b')]}),
      dir,
    )
    expect(listMountsBelow(dir)).toEqual([join(path, 'a/b'), path, path])
    expect(() => writeFileSync(join(path, 'a/b/c'), '')).not.toThrow()
    unmountBelow(dir)
    expect(listMountsBelow(dir)).toEqual([])
    unmountBelow(dir)
  })

  it('makes a bind that cannot be written when it says so', () => {
    const {path} = mountRootfs(request({rootfsMounts: [{type: 'bind', source: lower, options: ['ro']}]}), dir)
    expect(() => writeFileSync(join(path, 'file'), 'x')).toThrow('EROFS')
  })

  it('whose third fails leaves nothing mounted, and says which', () => {
    const third = {type: 'no-such-fs', source: 'nothing', target: '/third'}
    expect(() => mountRootfs(request({rootfsMounts: [tmpfs(), tmpfs('/second'), third]}), dir)).toThrow(
      expect.objectContaining({
        code: 'MOUNT_FAILED',
        message: expect.stringMatching(/cannot mount nothing \(no-such-fs\) on \/third, number 3 .*ENODEV/),
        details: {index: 2, ...third},
      }),
    )
    expect(listMountsBelow(temp.path)).toEqual([])
  })

  it.each(['/../outside', '/link/below'])('is never mounted outside: %s', (target) => {
    execFileSync('ln', ['-s', temp.path, join(lower, 'link')])
    expect(() => mountRootfs(request({rootfsMounts: [{type: 'bind', source: lower}, tmpfs(target)]}), dir)).toThrow(
      /MOUNT_FAILED|cannot mount/,
    )
    expect(existsSync(join(temp.path, 'below'))).toBe(false)
    expect(listMountsBelow(temp.path)).toEqual([])
  })

  it('is unmounted while a process uses it', async () => {
    const {path} = mountRootfs(request({rootfsMounts: [tmpfs()]}), dir)
    const child = execFileSync('sh', ['-c', `cd '${path}' && sleep 2 >/dev/null & echo $!`], {encoding: 'utf8'})
    unmountBelow(dir)
    expect(listMountsBelow(dir)).toEqual([])
    process.kill(Number(child))
  })
})
