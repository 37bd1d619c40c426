import {existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {listMountsBelow} from '../../src/linux/mount.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()

const run = (...args: readonly string[]) => node.tally('run', '--rm', '--rootfs', node.rootfs, ...args)
const sh = async (options: readonly string[], script: string) => (await run(...options, '--', 'sh', '-c', script)).stdout.trimEnd()

describe('a root file system', () => {
  it('stays as it was, unless --rw is given', async () => {
    expect(await sh([], 'echo x > /made && ls /made')).toBe('/made')
    expect(existsSync(join(node.rootfs, 'made'))).toBe(false)
    expect(await sh(['--rw'], 'echo x > /made && ls /made')).toBe('/made')
    expect(existsSync(join(node.rootfs, 'made'))).toBe(true)
  })

  it('is shown with its overlay', async () => {
    await node.tally('create', '--name', 'shown', '--rootfs', node.rootfs, 'true')
    expect(await node.json('inspect', 'shown')).toMatchObject({rootfs: node.rootfs, overlay: 'disk'})
    await node.tally('rm', 'shown')
    expect(listMountsBelow(node.dir)).toEqual([])
  })

  it('is made of mounts, in their order', async () => {
    const ran = await node.tally(
      'run',
      '--rm',
      '--rootfs-mount',
      `type=bind,source=${node.rootfs},options=rbind,ro`,
      '--rootfs-mount',
      'type=tmpfs,source=tmpfs,target=/tmp',
      '--',
      'sh',
      '-c',
      'touch /tmp/a && ls /tmp; touch /b 2>/dev/null || echo read-only',
    )
    expect(ran.stdout).toBe('a\nread-only\n')
    await eventually('unmounted', () => listMountsBelow(node.dir).length === 0)
  })

  it('whose third mount fails is an error that names it, and leaves nothing', async () => {
    const mounts = [`type=tmpfs,source=first`, 'type=tmpfs,source=second,target=/a', 'type=nosuchfs,source=third,target=/b']
    const ran = await node.tally('run', ...mounts.flatMap((mount) => ['--rootfs-mount', mount]), '--name', 'third', 'true')
    expect(ran.exitCode).toBe(125)
    expect(ran.stderr).toMatch(/cannot mount third \(nosuchfs\) on \/b, number 3 .*\[MOUNT_FAILED\]/)
    expect(listMountsBelow(node.dir)).toEqual([])
    expect((await node.tally('ps', '-a', '-q')).stdout).toBe('')
    expect(existsSync(join(node.stateDir, 'containers/default/third'))).toBe(false)
  })

  it('is unmounted, and nothing behind it touched, when the supervisor was killed in between', async () => {
    await node.tally('run', '-d', '--name', 'orphan', '--rootfs-mount', `type=bind,source=${node.rootfs},options=rbind`, 'sleep', '600')
    const {supervisorPid} = await node.json<{readonly supervisorPid: number}>('inspect', 'orphan')
    sendSignal(supervisorPid, 'SIGKILL')
    await eventually('adopted', async () => (await node.events('orphan')).some(({type}) => type === 'supervisor.adopted'))
    expect((await node.tally('rm', '-f', 'orphan')).exitCode).toBe(0)
    expect(listMountsBelow(node.dir)).toEqual([])
    expect(readdirSync(node.rootfs)).toContain('bin')
  })
})

describe('what a container is given', () => {
  it('is mounted as docker would', async () => {
    writeFileSync(join(node.dir, 'greeting'), 'hello\n')
    const mounts = [
      '--mount',
      `type=bind,source=${node.dir},target=/data,readonly`,
      '--mount',
      'type=tmpfs,target=/scratch,tmpfs-size=1m,tmpfs-mode=1777',
    ]
    expect(
      await sh(
        mounts,
        'cat /data/greeting; touch /data/x 2>/dev/null || echo ro; stat -c %a /scratch; df -k /scratch | tail -1 | awk "{print \\$2}"',
      ),
    ).toBe('hello\nro\n1777\n1024')
    expect((await run('-v', '/no/such/place:/x', '--', 'true')).stderr).toContain(
      'expected something to mount at /no/such/place, got nothing',
    )
  })

  it('is all that there is, when privileged', async () => {
    const script =
      'grep -c . /proc/sys/kernel/hostname >/dev/null; grep CapEff /proc/self/status; grep Seccomp: /proc/self/status; ls /dev | wc -l'
    const [plain = '', privileged = ''] = [await sh([], script), await sh(['--privileged'], script)]
    const [, own = ''] = /CapBnd:\s(\w+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    expect(privileged).toContain(own)
    expect(privileged).toContain('Seccomp:\t0')
    expect(Number(privileged.split('\n').at(-1))).toBeGreaterThan(Number(plain.split('\n').at(-1)))
  })

  it('is a device of the host', async () => {
    expect(await sh(['--device', '/dev/zero:/dev/nothing:r'], 'head -c 3 /dev/nothing | wc -c')).toBe('3')
    expect((await run('--device', '/dev/no-such', '--', 'true')).stderr).toContain('expected a device at /dev/no-such, got nothing')
    expect((await run('--device', '/etc/passwd', '--', 'true')).stderr).toContain('expected a device at /etc/passwd, got something else')
  })

  it('is a limit, no higher than the host may give', async () => {
    expect(await sh(['--ulimit', 'nofile=100:200', '--ulimit', 'core=0'], 'ulimit -Sn; ulimit -Hn; ulimit -c')).toBe('100\n200\n0')
    expect((await run('--ulimit', 'nofile=300:200', '--', 'true')).stderr).toContain(
      'expected a soft limit of nofile not above the hard one',
    )
  })

  it('may gain privileges when that is allowed', async () => {
    const script = 'grep NoNewPrivs /proc/self/status'
    expect(await sh([], script)).toMatch(/1$/)
    expect(await sh(['--security-opt', 'no-new-privileges=false'], script)).toMatch(/0$/)
    expect(await sh(['--security-opt', 'seccomp=unconfined'], 'grep Seccomp: /proc/self/status')).toMatch(/0$/)
    expect((await run('--security-opt', 'seccomp=/etc/passwd', '--', 'true')).stderr).toContain('expected a seccomp profile at /etc/passwd')
  })

  it('has annotations in its spec', async () => {
    await node.tally('create', '--name', 'noted', '--annotation', 'org.example=yes', '--rootfs', node.rootfs, 'true')
    expect(JSON.parse(readFileSync(join(node.stateDir, 'containers/default/noted/config.json'), 'utf8'))).toMatchObject({
      annotations: {'org.example': 'yes'},
    })
    await node.tally('rm', 'noted')
  })

  it('is the namespaces of the host, or of another container', async () => {
    await node.tally('run', '-d', '--name', 'other', '--rootfs', node.rootfs, 'sleep', '600')
    const {pid} = await node.json<{readonly pid: number}>('inspect', 'other')
    const links = 'for kind in pid ipc net uts; do readlink /proc/self/ns/$kind; done'
    const of = async (...options: readonly string[]) => (await sh(options, links)).split('\n')
    const all = (process: number | 'self') => ['pid', 'ipc', 'net', 'uts'].map((kind) => readlinkSync(`/proc/${process}/ns/${kind}`))
    const joined = await of('--pid', 'container:other', '--ipc', 'container:other', '--net', 'container:other')
    expect(joined.slice(0, 3)).toEqual(all(pid).slice(0, 3))
    expect(await of('--pid', 'host', '--ipc', 'host', '--net', 'host', '--uts', 'host')).toEqual(all('self'))
    expect((await run('--pid', 'container:nobody', '--', 'true')).stderr).toContain('[CONTAINER_NOT_FOUND]')
    await node.tally('stop', '-t', '0', 'other')
    expect((await run('--pid', 'container:other', '--', 'true')).stderr).toContain('which does not run')
    await node.tally('rm', 'other')
  })

  it('ends with init, also where it sees the processes of the host', async () => {
    const marker = `${600 + Math.floor(Math.random() * 100)}.25`
    mkdirSync(join(node.dir, 'x'), {recursive: true})
    await run('--pid', 'host', '--', 'sh', '-c', `sleep ${marker} & exit 0`)
    const isLeft = () => readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && readIfThere(`/proc/${pid}/cmdline`).includes(marker))
    await eventually('killed', () => !isLeft())
  })
})

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
