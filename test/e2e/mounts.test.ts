/** What is mounted into a container is there, as it was asked for. */
import {execFileSync} from 'node:child_process'
import {mkdirSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {startNode, type TallyNode} from '../support/tally-node.ts'

let node: TallyNode
const at = (name: string) => join(node.dir, name)
beforeAll(async () => {
  node = await startNode()
  for (const name of ['a/b', 'b', 'run']) mkdirSync(at(name), {recursive: true})
  writeFileSync(at('f'), 'hello\n')
  writeFileSync(at('a/which'), 'a\n')
  writeFileSync(at('b/which'), 'b\n')
})
afterAll(async () => await node[Symbol.asyncDispose]())

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

  it('is refused in the very place of another', async () => {
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

  it('lets programs be executed where it is told to', async () => {
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

describe('a root file system', () => {
  it('has no option that the kernel would ignore', async () => {
    const {stderr} = await node.tally('run', '--rm', '--rootfs-mount', `type=bind,source=${node.rootfs},options=rbind,roo`, 'true')
    expect(stderr).toContain('a bind has no option roo')
    expect(execFileSync('cat', ['/proc/self/mounts'], {encoding: 'utf8'})).not.toContain(node.dir)
  })
})
