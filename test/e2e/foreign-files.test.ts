/** Files of a root file system, of a bundle and of a checkpoint are the user's: no process of the node trusts them. */
import {execFileSync} from 'node:child_process'
import {chmodSync, cpSync, globSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, describe, expect, it} from 'vitest'
import {useNode} from '../support/tally-node.ts'

const node = useNode()
afterAll(async () => {
  for (const path of globSync(join(node.dir, '{rootfs,described}-*'))) rmSync(path, {recursive: true, force: true})
})

/** Puts something else into the place of a file. */
function replace(path: string, how: 'fifo' | 'device' | 'gigabytes' | 'symlink' | 'directory'): void {
  rmSync(path, {force: true, recursive: true})
  if (how === 'fifo') execFileSync('mkfifo', [path])
  else if (how === 'device') execFileSync('mknod', [path, 'c', '1', '5'])
  else if (how === 'symlink') symlinkSync('/proc/self/root/etc/passwd', path)
  else if (how === 'directory') mkdirSync(path)
  else {
    writeFileSync(path, '')
    truncateSync(path, 8 * 1024 ** 3)
  }
}

function copyRootfs(name: string): string {
  const rootfs = join(node.dir, name)
  cpSync(node.rootfs, rootfs, {recursive: true, verbatimSymlinks: true})
  return rootfs
}

/** The node answers, and the process that all share has not grown. */
async function expectWell(): Promise<void> {
  const {coordinatorPid} = await node.info()
  const rssKb = Number(/\d+/.exec(execFileSync('grep', ['VmRSS', `/proc/${coordinatorPid}/status`], {encoding: 'utf8'}))?.[0])
  expect(rssKb).toBeLessThan(400_000)
}

describe.each(['passwd', 'group'])('etc/%s of a root file system', (name) => {
  it.each(['fifo', 'device', 'directory'] as const)('that is a %s is refused at once', async (how) => {
    const rootfs = copyRootfs(`rootfs-${name}-${how}`)
    replace(join(rootfs, 'etc', name), how)
    const {exitCode, stderr} = await node.tally('run', '--rm', '--rootfs', rootfs, 'true')
    expect(stderr).toBe(`tally: cannot use /etc/${name} of the container: expected a regular file [ROOTFS_INVALID]\n`)
    expect(exitCode).toBe(125)
    await expectWell()
  })

  it('that is a link out of it is as if it were not there', async () => {
    const rootfs = copyRootfs(`rootfs-${name}-link`)
    replace(join(rootfs, 'etc', name), 'symlink')
    expect(await node.tally('run', '--rm', '--rootfs', rootfs, 'true')).toEqual({exitCode: 0, stdout: '', stderr: ''})
  })

  it('that has gigabytes is refused, and not read', async () => {
    const rootfs = copyRootfs(`rootfs-${name}-large`)
    replace(join(rootfs, 'etc', name), 'gigabytes')
    const {exitCode, stderr} = await node.tally('run', '--rm', '--rootfs', rootfs, 'true')
    expect(stderr).toMatch(new RegExp(`etc/${name} of the container: expected at most \\d+ bytes, got 8589934592 \\[ROOTFS_INVALID\\]`))
    expect(exitCode).toBe(125)
    await expectWell()
  })

  it('that becomes one while the container runs keeps no exec waiting', async () => {
    const rootfs = copyRootfs(`rootfs-${name}-live`)
    await node.tally('run', '-d', '--rw', '--name', `live-${name}`, '--rootfs', rootfs, 'sleep', '600')
    for (const how of ['fifo', 'gigabytes'] as const) {
      replace(join(rootfs, 'etc', name), how)
      for (const options of [[], ['-u', 'nobody']])
        expect((await node.tally('exec', ...options, `live-${name}`, 'true')).stderr).toContain('[ROOTFS_INVALID]')
    }
    expect((await node.tally('rm', '-f', `live-${name}`)).exitCode).toBe(0)
  })
})

describe('a bundle and a checkpoint', () => {
  it.each(['fifo', 'device', 'gigabytes', 'directory'] as const)('whose description is a %s are refused', async (how) => {
    const dir = join(node.dir, `described-${how}`)
    mkdirSync(join(dir, 'rootfs'), {recursive: true})
    replace(join(dir, 'config.json'), how)
    replace(join(dir, 'tally.json'), how)
    expect((await node.tally('run', '--rm', '--bundle', dir)).stderr).toContain('[BUNDLE_INVALID]')
    expect((await node.tally('restore', dir)).stderr).toContain('[CHECKPOINT_INVALID]')
    await expectWell()
  })
})

describe('a user namespace', () => {
  function makeBundle(args: readonly string[], more: object = {}): string {
    const bundle = join(node.dir, 'bundle')
    rmSync(bundle, {recursive: true, force: true})
    mkdirSync(bundle)
    cpSync(node.rootfs, join(bundle, 'rootfs'), {recursive: true, verbatimSymlinks: true})
    execFileSync('chown', ['-R', '100000:200000', join(bundle, 'rootfs')])
    for (const dir of [node.dir, bundle]) chmodSync(dir, 0o755)
    execFileSync('runc', ['spec', '--bundle', bundle])
    const config = JSON.parse(execFileSync('cat', [join(bundle, 'config.json')], {encoding: 'utf8'}))
    config.process = {...config.process, terminal: false, args: [...args], ...more}
    config.linux.namespaces.push({type: 'user'})
    config.linux.uidMappings = [{containerID: 0, hostID: 100_000, size: 1_000}]
    config.linux.gidMappings = [{containerID: 0, hostID: 200_000, size: 1_000}]
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
    return bundle
  }
  const speak = 'echo out >/dev/stdout; echo err >/dev/stderr'

  it('has its root own what is opened for it', async () => {
    const bundle = makeBundle(['sh', '-c', `${speak}; cat /dev/stdin; stat -L -c "%u %g" /dev/stderr`])
    const child = node.spawn('run', '--rm', '-i', '--bundle', bundle)
    child.stdin?.end('in\n')
    expect(await child).toMatchObject({exitCode: 0, stdout: 'out\nin\n0 0', stderr: 'err'})
  })

  it('has another user own it as well, and added processes theirs', async () => {
    const user = {user: {uid: 7, gid: 8}}
    expect(await node.tally('run', '--rm', '--bundle', makeBundle(['sh', '-c', speak], user))).toMatchObject({
      stdout: 'out\n',
      stderr: 'err\n',
    })
    await node.tally('run', '-d', '--name', 'mapped', '--bundle', makeBundle(['sleep', '600']))
    for (const options of [[], ['-u', '7']])
      expect(await node.tally('exec', ...options, 'mapped', 'sh', '-c', speak)).toMatchObject({stdout: 'out\n', stderr: 'err\n'})
    await node.tally('rm', '-f', 'mapped')
  })
})

describe('HOME of an added process', () => {
  const home = async (id: string, ...options: readonly string[]) =>
    (await node.tally('exec', ...options, id, 'sh', '-c', 'echo $HOME')).stdout.trim()

  it('is what the container was given, or that of the user', async () => {
    await node.tally('run', '-d', '--name', 'given', '-e', 'HOME=/data', '--rootfs', node.rootfs, 'sleep', '600')
    await node.tally('run', '-d', '--name', 'usual', '--rootfs', node.rootfs, 'sleep', '600')
    expect(await home('given')).toBe('/data')
    expect(await home('given', '-u', 'root')).toBe('/data')
    expect(await home('given', '-u', 'nobody')).toBe('/data')
    expect(await home('given', '-u', 'root', '-e', 'HOME=/x')).toBe('/x')
    expect(await home('usual')).toBe('/root')
    expect(await home('usual', '-u', 'nobody')).toBe('/')
    await node.tally('rm', '-f', 'given', 'usual')
  })
})
