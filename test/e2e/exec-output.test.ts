/** The output of an added process: how much disk it takes, and what happens when its reader is slow or goes away. */
import {createHash} from 'node:crypto'
import {globSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'
import {beforeAll, describe, expect, it} from 'vitest'
import {connectTally} from '../../src/client/index.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const program = join(import.meta.dirname, '../../bin/tally')
/** Two files of a log of 8 MiB, and one read more. */
const mostBytes = 20 * 1024 * 1024

const node = useNode()
beforeAll(async () => {
  await node.tally('run', '-d', '--name', 'box', '--rootfs', node.rootfs, 'sleep', '600')
})

/** Allocated: what is between log and process is a file with holes. */
const bytesOnDisk = () =>
  globSync(join(node.stateDir, 'containers/default/box/exec/*/*')).reduce(
    (sum, path) => sum + 512 * (statSync(path, {throwIfNoEntry: false})?.blocks ?? 0),
    0,
  )
const shell = (script: string) => execa('sh', ['-c', script], {env: {...node.env, TALLY: program}, reject: false, timeout: 120_000})
const exitsOf = async (exec: string) =>
  (await node.events('box')).flatMap((event) => (event.type === 'exec.exited' && event.data.exec === exec ? [event.data.exit] : []))
const running = async () => (await node.tally('top', 'box')).stdout

describe('the output of an added process', () => {
  it('reaches a slow reader whole, and takes less of the disk than its size', async () => {
    // 120 MB: 15 bytes short of what a line may be, so that lines and reads end at different places.
    const line = `${'x'.repeat(984)}\n`
    const file = Buffer.from(line.repeat(120_000))
    writeFileSync(join(node.rootfs, 'big'), file)
    const sum = createHash('sha256').update(file).digest('hex')
    let most = 0
    const watching = setInterval(() => {
      most = Math.max(most, bytesOnDisk())
    }, 20)
    const {stdout} = await shell('$TALLY exec box cat /big | (sleep 2; sha256sum)')
    clearInterval(watching)
    expect(stdout).toBe(`${sum}  -`)
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThan(mostBytes)
  }, 120_000)

  it('reaches a slow reader whole, though the supervisor is killed while the process waits', async () => {
    const ran = shell('$TALLY exec box cat /big | (sleep 4; sha256sum)')
    await eventually('waiting', () => bytesOnDisk() > 12 * 1024 * 1024)
    const {supervisorPid} = await node.json<{readonly supervisorPid: number}>('inspect', 'box')
    sendSignal(supervisorPid, 'SIGKILL')
    expect((await ran).stdout).toBe(
      `${createHash('sha256')
        .update(readFileSync(join(node.rootfs, 'big')))
        .digest('hex')}  -`,
    )
  }, 120_000)

  it('is dropped, oldest first, when it has no reader', async () => {
    const script = 'head -c 60000000 /dev/zero | tr "\\0" x | fold -w 999; echo; echo last'
    expect((await node.tally('exec', '-d', '--id', 'much', 'box', 'sh', '-c', script)).exitCode).toBe(0)
    await node.tally('wait', '--exec', 'much', 'box')
    expect(bytesOnDisk()).toBeLessThan(mostBytes)
    await using client = await connectTally({runDir: node.runDir})
    const {entries} = await client.container('box').process('much').log({tail: 1})
    expect(entries.map(({data}) => Buffer.from(data, 'base64').toString()).join('')).toBe('last\n')
    expect((await node.tally('rm', '--exec', 'much', 'box')).exitCode).toBe(0)
  }, 120_000)
})

describe('a process whose reader has ended', () => {
  it('is sent SIGHUP', async () => {
    const {stdout, stderr} = await shell('$TALLY exec --id gone box yes | head -n 1')
    // Nothing is lost when the connection is closed while a request is still out.
    expect({stdout, stderr}).toEqual({stdout: 'y', stderr: ''})
    await eventually('ended', async () => (await exitsOf('gone')).length > 0)
    expect(await exitsOf('gone')).toEqual([{type: 'signal', signal: 'SIGHUP'}])
    expect((await node.tally('rm', '--exec', 'gone', 'box')).exitCode).toBe(0)
  })

  it('is sent SIGHUP with its whole group, and leaves nothing', async () => {
    expect((await shell('$TALLY exec box sh -c "yes; true" 2>&1 | head -n 1')).stdout).toBe('y')
    await eventually('ended', async () => !/ yes$/m.test(await running()))
    await eventually('removed', async () => (await node.json<readonly unknown[]>('execs', 'box')).length === 0)
  })
})

describe('a flood of output', () => {
  it('of what a process has left behind does not hold up its end', async () => {
    expect((await node.tally('exec', 'box', 'sh', '-c', 'yes & sleep 0.2; echo end')).stdout).toMatch(/end\n/)
    expect((await node.tally('exec', 'box', 'killall', 'yes')).exitCode).toBe(0)
  }, 120_000)
})
