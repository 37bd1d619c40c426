/** What is mounted into a container is there, as it was asked for. */
import {execFileSync} from 'node:child_process'
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {useNode} from '../support/tally-node.ts'

const node = useNode()
const at = (name: string) => join(node.dir, name)
beforeAll(async () => {
  for (const name of ['a/b', 'b', 'run']) mkdirSync(at(name), {recursive: true})
  writeFileSync(at('f'), 'hello\n')
  writeFileSync(at('a/which'), 'a\n')
  writeFileSync(at('b/which'), 'b\n')
})

const run = (options: readonly string[], script: string) =>
  node.tally('run', '--rm', '--rootfs', node.rootfs, ...options, '--', 'sh', '-c', script)

async function sh(options: readonly string[], script: string): Promise<string> {
  const {stdout, stderr} = await run(options, script)
  expect(stderr).toBe('')
  return stdout.trim()
}

describe('a mount below another', () => {
  it.each([
    [['--tmpfs', '/run', '-v', 'F:/run/app.sock']],
    [['-v', 'F:/run/app.sock', '--tmpfs', '/run']],
    [['--mount', 'type=bind,src=F,dst=/run/app.sock', '--mount', 'type=tmpfs,dst=/run']],
    [['--mount', 'type=tmpfs,dst=/run', '--mount', 'type=bind,src=F,dst=/run/app.sock']],
    [['-v', 'F:/run/x/y/app.sock', '--tmpfs', '/run', '--tmpfs', '/run/x']],
  ])('is seen, whatever the order: %j', async (options) => {
    const placed = options.map((option) => option.replace('F', at('f')))
    expect(await sh(placed, 'find /run -name app.sock | xargs cat; stat -f -c %T /run')).toBe('hello\ntmpfs')
  })

  it('is seen in a directory of the node as well', async () => {
    expect(await sh(['-v', `${at('b')}:/work/b`, '-v', `${at('a')}:/work`], 'cat /work/which /work/b/which')).toBe('a\nb')
  })

  it('is refused at the target of another', async () => {
    const {exitCode, stderr} = await run(['-v', `${at('a')}:/work`, '--tmpfs', '/work/'], 'true')
    expect(stderr).toContain('expected one mount at /work, got several [INVALID_REQUEST]')
    expect(exitCode).toBe(125)
  })
})

describe('--tmpfs', () => {
  it("has docker's options", async () => {
    const script = 'stat -c "%a %u" /run; df -k /run | tail -1 | awk "{print \\$2}"; grep " /run " /proc/mounts'
    const found = await sh(['--tmpfs', '/run:rw,noexec,nosuid,size=64k,mode=700,uid=7'], script)
    expect(found).toMatch(/^700 7\n64\n/)
    expect(found).toMatch(/rw,nosuid,nodev,noexec/)
  })

  it('lets programs be executed with the option exec', async () => {
    const script = 'cp /bin/busybox /run/true && /run/true && echo executed'
    expect((await run(['--tmpfs', '/run'], script)).stdout).toBe('')
    expect((await run(['--tmpfs', '/run:exec'], script)).stdout).toBe('executed\n')
  })

  it.each(['/run:siez=64k', '/run:size=64q', '/run:', 'run'])('refuses %s', async (option) => {
    const {exitCode, stderr} = await run(['--tmpfs', option], 'true')
    expect(exitCode).toBe(125)
    expect(stderr).toContain('--tmpfs')
  })
})

describe('a read-only mount', () => {
  const touch = (name: string) => `touch ${name} 2>/dev/null && echo written || echo refused`

  beforeAll(() => {
    mkdirSync(at('srv/sub/deep'), {recursive: true})
    execFileSync('mount', ['-t', 'tmpfs', 'tally-test', at('srv/sub')])
  })
  afterAll(() => execFileSync('umount', [at('srv/sub')]))

  it.each([
    [['-v', 'S:/m:ro'], 'refused refused'],
    [['-v', 'S:/m:rro'], 'refused refused'],
    [['-v', 'S:/m'], 'written written'],
    [['--mount', 'type=bind,src=S,dst=/m,readonly'], 'refused refused'],
    [['--mount', 'type=bind,src=S,dst=/m,readonly,bind-recursive=enabled'], 'refused refused'],
    [['--mount', 'type=bind,src=S,dst=/m,readonly,bind-recursive=readonly'], 'refused refused'],
    [['--mount', 'type=bind,src=S,dst=/m,readonly,bind-recursive=writable'], 'refused written'],
    [['--mount', 'type=bind,src=S,dst=/m,bind-recursive=disabled'], 'written written'],
  ])('is so for what is mounted below it: %j', async (options, expected) => {
    const placed = options.map((option) => option.replace('S', at('srv')))
    expect((await sh(placed, `${touch('/m/x')}; ${touch('/m/sub/x')}`)).replace('\n', ' ')).toBe(expected)
  })

  it('leaves out what is mounted below it when it is not recursive', async () => {
    writeFileSync(at('srv/sub/inner'), '')
    expect(await sh(['-v', `${at('srv')}:/m`], 'ls /m/sub')).toContain('inner')
    expect(await sh(['--mount', `type=bind,src=${at('srv')},dst=/m,bind-recursive=disabled`], 'ls /m/sub')).not.toContain('inner')
  })

  it('has a warning where what is mounted later would be writable', async () => {
    const {stderr, exitCode} = await run(['-v', `${at('srv')}:/m:ro,rslave`], 'true')
    expect(stderr).toBe(`tally: warning: what is mounted below ${at('srv')} later is writable below /m (rslave)\n`)
    expect(exitCode).toBe(0)
  })

  it('is refused, or has a warning, where the runtime cannot do it', async () => {
    const runtime = at('old-runc')
    writeFileSync(runtime, '#!/bin/sh\n[ "$1" = features ] && exit 1\nexec runc "$@"\n')
    chmodSync(runtime, 0o755)
    const strict = await run(['--runtime', runtime, '-v', `${at('srv')}:/m:rro`], 'true')
    expect(strict.stderr).toMatch(/^tally: \/m cannot be read-only with all that is mounted below it: .*\[UNSUPPORTED\]/)
    expect(strict.exitCode).toBe(125)
    const usual = await run(['--runtime', runtime, '-v', `${at('srv')}:/m:ro`], touch('/m/sub/x'))
    expect(usual.stderr).toContain('warning: /m/sub stays writable')
    expect((await run(['--runtime', runtime, '-v', `${at('a')}:/m:ro`], 'true')).stderr).toBe('')
  })
})

describe('a root file system', () => {
  it('is read-only with what is mounted below it', async () => {
    const parts = ['--rootfs-mount', `type=bind,source=${node.rootfs},options=rbind`, '--rootfs-mount', 'type=tmpfs,source=t,target=/tmp']
    const script = ['--', 'sh', '-c', 'touch /x 2>/dev/null || echo root; touch /tmp/x 2>/dev/null || echo part']
    expect((await node.tally('run', '--rm', ...parts, '--read-only', ...script)).stdout).toBe('root\npart\n')
    expect((await node.tally('run', '--rm', ...parts, '--read-only', '--tmpfs', '/tmp', ...script)).stdout).toBe('root\n')
  })

  it('has no option that the kernel would ignore', async () => {
    const {stderr} = await node.tally('run', '--rm', '--rootfs-mount', `type=bind,source=${node.rootfs},options=rbind,roo`, 'true')
    expect(stderr).toContain('a bind mount has no option roo')
    expect(execFileSync('cat', ['/proc/self/mounts'], {encoding: 'utf8'})).not.toContain(node.dir)
  })
})
