import {existsSync, mkdirSync, realpathSync, renameSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {listMountsBelow} from '../../src/linux/mount.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode({each: true, up: false})

const run = (...args: readonly string[]) => node.tally('run', '--rootfs', node.rootfs, ...args)

describe('a state directory behind a symbolic link', () => {
  it('is as good as any other', async () => {
    const disk = join(node.dir, 'disk', 'state')
    mkdirSync(join(node.dir, 'disk'))
    mkdirSync(disk, {mode: 0o700})
    symlinkSync(disk, node.stateDir)
    await node.up()
    expect(await run('--rm', '--', 'echo', 'hello')).toMatchObject({exitCode: 0, stdout: 'hello\n'})
    expect(await run('-d', '--name', 'a', '--', 'sleep', '1000')).toMatchObject({exitCode: 0})
    expect(listMountsBelow(realpathSync(disk))).toHaveLength(1)
    expect(await node.tally('fsck')).toMatchObject({exitCode: 0})
    expect(await node.tally('rm', '-f', 'a')).toMatchObject({exitCode: 0})
    expect(listMountsBelow(realpathSync(disk))).toEqual([])
    expect(existsSync(join(disk, 'containers'))).toBe(true)
    expect(existsSync(join(disk, 'containers/default'))).toBe(false)
  })

  it('may be a part of it that was moved to another disk while the node was down', async () => {
    await node.up()
    expect(await run('-d', '--name', 'a', '--', 'sleep', '1000')).toMatchObject({exitCode: 0})
    expect(await node.tally('rm', '-f', 'a')).toMatchObject({exitCode: 0})
    expect(await node.tally('down')).toMatchObject({exitCode: 0})
    const disk = join(node.dir, 'disk')
    mkdirSync(disk)
    renameSync(join(node.stateDir, 'containers'), join(disk, 'containers'))
    symlinkSync(join(disk, 'containers'), join(node.stateDir, 'containers'))
    await node.up()
    expect(await run('--rm', '--', 'echo', 'hello')).toMatchObject({exitCode: 0, stdout: 'hello\n'})
    await eventually('its root is unmounted', () => listMountsBelow(realpathSync(disk)).length === 0)
  })

  it('is made where a link points that leads nowhere yet', async () => {
    const disk = join(node.dir, 'disk', 'state')
    mkdirSync(join(node.dir, 'disk'))
    symlinkSync(disk, node.stateDir)
    await node.up()
    expect(await run('--rm', '--', 'echo', 'hello')).toMatchObject({exitCode: 0, stdout: 'hello\n'})
    expect(existsSync(join(disk, 'node'))).toBe(true)
  })

  it('takes a root file system behind one, in place as well', async () => {
    const link = join(node.dir, 'link')
    symlinkSync(node.rootfs, link)
    await node.up()
    for (const how of [[], ['--rw']])
      expect(await node.tally('run', '--rm', '--rootfs', link, ...how, '--', 'echo', 'hello')).toMatchObject({
        exitCode: 0,
        stdout: 'hello\n',
      })
  })
})
