import {execFileSync} from 'node:child_process'
import {existsSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode({each: true, up: false})

const run = (...args: readonly string[]) => node.tally('run', '--rootfs', node.rootfs, ...args)

describe('a container whose files cannot be removed', () => {
  const immutable = (how: '+i' | '-i', path: string) => execFileSync('chattr', [how, path])

  it('is not deleted, says why, and is deleted when it can be', async () => {
    await node.up()
    await run('-d', '--name', 'a', '--', 'sh', '-c', 'echo x > /kept; exec sleep 1000')
    const file = join(node.stateDir, 'containers/default/a/overlay/upper/kept')
    await eventually('it has written', () => existsSync(file))
    immutable('+i', file)
    try {
      const refused = await node.tally('rm', '-f', 'a')
      expect(refused).toMatchObject({exitCode: 1, stderr: expect.stringContaining(file)})
      expect(refused.stderr).toMatch(/EPERM.*\[DELETE_FAILED\]/)
      expect(await node.tally('ps', '-a')).toMatchObject({stdout: expect.stringMatching(/^a .*Exited/m)})
      expect((await node.events('a')).at(-1)).toMatchObject({type: 'container.delete-failed', data: {error: {code: 'DELETE_FAILED'}}})
      expect(await node.tally('rm', 'a')).toMatchObject({exitCode: 1})
    } finally {
      immutable('-i', file)
    }
    expect(await node.tally('rm', 'a')).toMatchObject({exitCode: 0, stderr: ''})
    expect(existsSync(join(node.stateDir, 'containers/default/a'))).toBe(false)
    expect(await run('--rm', '--name', 'a', '--', 'true')).toMatchObject({exitCode: 0})
  })

  it('holds up down --containers until it can be removed', async () => {
    await node.up()
    await run('-d', '--name', 'a', '--', 'sh', '-c', 'echo x > /kept; exec sleep 1000')
    const journal = join(node.stateDir, 'containers/default/a/journal.jsonl')
    // It can be written, and not removed.
    execFileSync('chattr', ['+a', journal])
    try {
      expect(await node.tally('rm', '-f', 'a')).toMatchObject({exitCode: 1, stderr: expect.stringMatching(/EPERM.*\[DELETE_FAILED\]/)})
      setTimeout(() => execFileSync('chattr', ['-a', journal]), 1_000)
      expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0})
    } finally {
      if (existsSync(journal)) execFileSync('chattr', ['-a', journal])
    }
    expect(existsSync(journal)).toBe(false)
  })
})
