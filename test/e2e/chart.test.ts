import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {startPtySession} from '../support/pty-session.ts'
import {sendSignal} from '../support/send-signal.ts'
import {useNode} from '../support/tally-node.ts'

const program = join(import.meta.dirname, '../../bin/tally')
const node = useNode()

const run = (name: string, ...command: readonly string[]) => node.tally('run', '-d', '--name', name, '--rootfs', node.rootfs, ...command)
const chart = async (...args: readonly string[]) => await node.tally('chart', ...args)

describe('tally chart', () => {
  it('draws a container as it is, as it was, and after it was deleted', async () => {
    await run('past', 'sleep', '60')
    await node.tally('exec', '--id', 'e1', 'past', 'true')
    expect((await chart('past')).stdout).toContain('┏━ ● running')
    await node.tally('rm', '-f', 'past')
    const {stdout} = await chart('past')
    expect(stdout).toMatch(/^default\/past {2}\d+ {2}container\.deleted {2}/)
    expect(stdout).toContain('● deleted')
    const third = await chart('--at', '3', 'past')
    expect(third.stdout).toMatch(/^default\/past {2}3 {2}container\.start-requested {2}/)
    expect(third.stdout).toContain('┏━ ● starting')
    const [event] = await node.events('past')
    expect((await chart('--at', event?.time ?? '', 'past')).stdout).toContain('┏━ ● creating')
    const {stdout: process} = await chart('--exec', 'e1', 'past')
    expect(process).toContain('● stopped')
    expect((await chart('--machine', 'supervisor', 'past')).stdout).toContain('● ended')
  })

  it('writes files in the format of their names', async () => {
    await run('filed', 'sleep', '60')
    const [svg, png] = [join(node.dir, 'a.svg'), join(node.dir, 'a.png')]
    expect(await chart('-o', svg, 'filed')).toMatchObject({exitCode: 0, stdout: ''})
    expect(readFileSync(svg, 'utf8')).toContain('<title>container: default/filed  4  container.started')
    expect(await chart('-o', png, 'filed')).toMatchObject({exitCode: 0, stdout: ''})
    expect(readFileSync(png).subarray(1, 4).toString()).toBe('PNG')
    expect(JSON.parse((await chart('--json', 'filed')).stdout)).toMatchObject({
      id: 'container',
      marks: {active: expect.arrayContaining(['running'])},
    })
    await node.tally('rm', '-f', 'filed')
  })

  it('needs no node for a bare chart', async () => {
    const env = {TALLY_RUN_DIR: join(node.dir, 'nowhere')}
    expect((await chart('--run-dir', env.TALLY_RUN_DIR, '--format', 'mermaid')).stdout).toContain('stateDiagram-v2')
    // The names of what conditions are made of survive the bundling.
    expect((await chart('--run-dir', env.TALLY_RUN_DIR)).stdout).toContain('hasNoLiveExec and')
  })

  it('refuses what makes no sense', async () => {
    expect((await chart('nobody')).stderr).toContain('CONTAINER_NOT_FOUND')
    expect((await chart('--at', '3')).stderr).toContain('expected a container')
    expect((await chart('--format', 'gif')).exitCode).toBe(2)
    await run('short', 'sleep', '60')
    expect((await chart('--at', '99', 'short')).stderr).toContain('expected --at to be 1 to 4')
    expect((await chart('--exec', 'none', 'short')).stderr).toContain('EXEC_NOT_FOUND')
    expect((await chart('-f', '--format', 'svg', 'short')).stderr).toContain('expected --follow with --format text')
    await node.tally('rm', '-f', 'short')
  })

  it('follows a container until it is deleted, one chart behind the other where there is no terminal', async () => {
    await run('followed', 'sleep', '60')
    const followed = node.spawn('chart', '-f', 'followed')
    await node.tally('kill', 'followed')
    await node.tally('wait', 'followed')
    await node.tally('rm', 'followed')
    const {stdout, exitCode} = await followed
    expect(exitCode).toBe(0)
    const captions = String(stdout).match(/^default\/followed .*$/gm) ?? []
    expect(captions.at(-1)).toContain('container.deleted')
    expect(captions.join('\n')).toContain('container.exited')
  })
})

describe('tally chart -f in a terminal', () => {
  it('shows the chart as it changes, and leaves the terminal as it was when q is pressed', async () => {
    await run('watched', 'sleep', '60')
    await using session = await startPtySession(`${program} chart -f watched; echo "left $?"; stty -a | grep -o -- '-\\?icanon'`, {
      env: {...process.env, ...node.env},
      columns: 100,
      rows: 50,
    })
    await session.waitFor(/\[\?1049h/)
    await session.waitFor(/container\.started/)
    await node.tally('pause', 'watched')
    await session.waitFor(/container\.paused/)
    session.send('q')
    await session.waitFor(/\[\?1049l/)
    await session.waitFor(/left 0\r\n(icanon)/)
    expect(await session.exited).toBe(0)
    await node.tally('rm', '-f', 'watched')
  })

  it('leaves it as it was when a signal ends it', async () => {
    await run('signalled', 'sleep', '60')
    await using session = await startPtySession(
      `sh -c 'echo pid $$; exec ${program} chart -f signalled'; echo "left $?"; stty -a | grep -o -- '-\\?icanon'`,
      {env: {...process.env, ...node.env}, columns: 100, rows: 50},
    )
    await session.waitFor(/container\.started/)
    const [, pid = ''] = /pid (\d+)/.exec(session.screen) ?? []
    sendSignal(Number(pid), 'SIGTERM')
    await session.waitFor(/\[\?1049l/)
    await session.waitFor(/left 143\r\n(icanon)/)
    await node.tally('rm', '-f', 'signalled')
  })
})
