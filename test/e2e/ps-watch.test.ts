import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {killNode} from '../support/kill-node.ts'
import {startPtySession} from '../support/pty-session.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const program = join(import.meta.dirname, '../../bin/tally')
const node = useNode()

const run = (name: string) => node.tally('run', '-d', '--name', name, '--rootfs', node.rootfs, 'sleep', '60')

describe('tally ps --watch', () => {
  it('shows containers as they come, change and go, and leaves the terminal as it was', async () => {
    await using session = await startPtySession(`${program} ps --watch; echo "left $?"; stty -a | grep -o -- '-\\?icanon'`, {
      env: {...process.env, ...node.env},
      columns: 110,
      rows: 20,
    })
    await session.waitFor(/n1: 0 containers/)
    await run('seen')
    await session.waitFor(/n1: 1 container\b/)
    await session.waitFor(/seen +sleep 60 .* Up /)
    await node.tally('pause', 'seen')
    await session.waitFor(/\(Paused\)/)
    await node.tally('rm', '-f', 'seen')
    await session.waitFor(/n1: 0 containers/)
    session.send('q')
    await session.waitFor(/\[\?1049l/)
    await session.waitFor(/left 0\r\n(icanon)/)
    expect(await session.exited).toBe(0)
  })

  it('says so when no coordinator answers, and goes on when one does', async () => {
    await using session = await startPtySession(`${program} ps --watch; echo "left $?"; stty -a | grep -o -- '-\\?icanon'`, {
      env: {...process.env, ...node.env},
      columns: 110,
      rows: 20,
    })
    await run('kept')
    await session.waitFor(/kept +sleep/)
    killNode(await node.info())
    await node.tally('pause', 'kept')
    await session.waitFor(/no coordinator answers/)
    expect((await node.tally('up', '-d')).exitCode).toBe(0)
    await session.waitFor(/n1: 1 container *\W/)
    await session.waitFor(/\(Paused\)/)
    session.send('\u0003')
    await session.waitFor(/left 0\r\n(icanon)/)
    await node.tally('rm', '-f', 'kept')
  })

  it('prints one table behind the other where there is no terminal', async () => {
    const watched = node.spawn('ps', '--watch')
    let printed = ''
    watched.stdout.on('data', (bytes: Buffer) => {
      printed += bytes.toString()
    })
    await eventually('the first table', () => printed.includes('n1: 0 containers'))
    await run('plain')
    await eventually('the container', () => /plain +sleep 60/.test(printed))
    expect(printed).not.toContain('\u001b')
    watched.kill('SIGTERM')
    await watched
    await node.tally('rm', '-f', 'plain')
    expect((await node.tally('ps', '--watch', '--json')).stderr).toContain('expected --watch without --json')
  })
})
