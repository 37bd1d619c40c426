import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {type PtySession, startPtySession} from '../support/pty-session.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const program = join(import.meta.dirname, '../../bin/tally')
const keys = {ctrlC: '\x03', ctrlD: '\x04', detach: '\x10\x11'} as const
const node = useNode()

/** A shell's prompt is there before and after, so that what happens to its terminal can be seen. */
function tally(args: string, size: {readonly columns?: number; readonly rows?: number} = {}): Promise<PtySession> {
  return startPtySession(`${program} ${args}; echo "status $?"; exec cat`, {env: node.env, ...size})
}

const runShell = (name: string, more = '') => `run -it ${more} --name ${name} --rootfs ${node.rootfs} sh`

describe('run -it', () => {
  it('has a prompt, a terminal of the same size, and the exit status', async () => {
    await using session = await tally(runShell('prompt', '--rm'), {columns: 101, rows: 31})
    await session.waitFor(/\/ # /)
    session.send('stty size; tty; echo $TERM\n')
    await session.waitFor(/31 101\r\n\/dev\/pts\/0\r\nxterm\r\n/)
    session.send('exit 5\n')
    await session.waitFor(/status 5/)
  })

  it('gives the terminal back as it was', async () => {
    await using session = await tally(runShell('restored', '--rm'))
    const before = session.settings()
    await session.waitFor(/\/ # /)
    expect(session.settings()).toContain('-icanon')
    session.send(keys.ctrlD)
    await session.waitFor(/status 0/)
    expect(session.settings()).toBe(before)
  })

  it('follows the size of the window', async () => {
    await using session = await tally(runShell('resized', '--rm'), {columns: 80, rows: 24})
    await session.waitFor(/\/ # /)
    session.resize({columns: 132, rows: 43})
    session.send('sleep 1; stty size\n')
    await session.waitFor(/43 132/)
    session.send('exit\n')
    await session.waitFor(/status 0/)
    const sizes = (await node.events('resized')).flatMap((event) => (event.type === 'container.resized' ? [event.data] : []))
    expect(sizes.at(-1)).toEqual({columns: 132, rows: 43})
  })

  it('passes ctrl-c on to the program, not to itself', async () => {
    await using session = await tally(runShell('interrupted', '--rm'))
    await session.waitFor(/\/ # /)
    session.send('sleep 100\n')
    // The shell shows the line before it gives the terminal to the program.
    await eventually('it sleeps', async () => / sleep 100$/m.test((await node.tally('top', 'interrupted')).stdout))
    session.send(keys.ctrlC)
    await session.waitFor(/\^C/)
    session.send('echo still $?; exit 3\n')
    await session.waitFor(/still 130/)
    await session.waitFor(/status 3/)
  })
})

describe('detach and attach', () => {
  it('leave it running, and join it again', async () => {
    await using first = await tally(runShell('shared'))
    await first.waitFor(/\/ # /)
    first.send('mark=left; echo begun\n')
    await first.waitFor(/begun\r\n/)
    first.send(keys.detach)
    await first.waitFor(/left container shared running\r\n/)
    await first.waitFor(/status 0/)
    expect(first.settings()).toContain(' icanon')

    await using second = await tally('attach shared', {columns: 90, rows: 20})
    second.send('echo and $mark; stty size\n')
    await second.waitFor(/and left\r\n20 90/)
    second.send('exit 9\n')
    await second.waitFor(/status 9/)
    expect((await node.tally('rm', 'shared')).exitCode).toBe(0)
  })

  it('let several be attached at once, and a stopped one blocks no other', async () => {
    await using first = await tally(runShell('several', '--rm'))
    await first.waitFor(/\/ # /)
    await using second = await tally('attach several')
    await using third = await tally('attach --no-stdin several')
    // Both are attached when both show what is typed.
    await eventually('all are attached', () => {
      first.send('echo are you there\n')
      return [second, third].every(({screen}) => screen.includes('are you there'))
    })
    second.send('echo from the second\n')
    for (const session of [first, second, third]) await session.waitFor(/second\r+\nfrom the second\r+\n/)
    const stopped = node.spawn('attach', '--no-stdin', 'several')
    stopped.kill('SIGSTOP')
    first.send('seq 1 20000 | tail -1; exit 4\n')
    for (const session of [first, second, third]) await session.waitFor(/status 4/)
    stopped.kill('SIGKILL')
    await stopped
  })

  it('take other keys, and refuse what are none', async () => {
    await using session = await tally(`${runShell('keyed')} `.replace('run -it', 'run -it --detach-keys ctrl-x,q'))
    await session.waitFor(/\/ # /)
    session.send('\x10\x11echo not yet\n')
    await session.waitFor(/not yet/)
    session.send('\x18q')
    await session.waitFor(/status 0/)
    expect((await node.tally('rm', '-f', 'keyed')).exitCode).toBe(0)
    const refused = await node.tally('attach', '--detach-keys', 'ctrl-1', 'keyed')
    expect(refused.exitCode).toBe(125)
    expect(refused.stderr).toContain('expected keys separated by commas')
  })
})

describe('exec -it', () => {
  it('has a terminal of its own, and its exit status', async () => {
    expect((await node.tally('run', '-d', '--name', 'host', '--rootfs', node.rootfs, 'sleep', '600')).exitCode).toBe(0)
    await using session = await tally('exec -it host sh', {columns: 70, rows: 20})
    await session.waitFor(/\/ # /)
    session.send('stty size; exit 6\n')
    await session.waitFor(/20 70/)
    await session.waitFor(/status 6/)
    const {execs} = await node.json<{readonly execs?: unknown}>('inspect', 'host')
    expect(execs).toBeUndefined()
    expect((await node.tally('rm', '-f', 'host')).exitCode).toBe(0)
  })
})
