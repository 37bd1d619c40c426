/** `tally up` in the foreground, beneath a service manager such as systemd: `Type=notify`, `KillMode=process` (packaging/systemd). */
import {execa} from 'execa'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {isAlive, readProcessIdentity} from '../../src/linux/process-table.ts'
import {findSupervisor} from '../support/find-supervisor.ts'
import {type NotifySocket, openNotifySocket} from '../support/notify-socket.ts'
import {readProcFile} from '../support/proc.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, startNode, type TallyNode} from '../support/tally-node.ts'

const program = join(import.meta.dirname, '../../bin/tally')

/** As the unit does it: one process, whose id stays. */
function startService(node: TallyNode, notifySocket: string) {
  return execa(program, ['up'], {env: {...node.env, NOTIFY_SOCKET: notifySocket}, reject: false})
}

async function next(socket: NotifySocket): Promise<string> {
  const received: string[] = []
  await eventually('a message', () => {
    received.push(...[socket.receive()].filter((one) => one !== undefined))
    return received.length > 0
  })
  return received[0] ?? ''
}

it.each(['path', 'abstract'])(
  'the service manager is told when the node answers and when it ends, and a restart leaves containers alone: %s',
  async (kind) => {
    await using node = await startNode({up: false})
    const name = kind === 'path' ? join(node.dir, 'notify.sock') : `@tally-test-${process.pid}-${Date.now()}`
    using socket = openNotifySocket(name)
    const service = startService(node, name)
    expect(await next(socket)).toMatch(
      new RegExp(`^READY=1\nMAINPID=${service.pid}\nSTATUS=node n1 is ready on nats://127\\.0\\.0\\.1:\\d+$`),
    )
    expect(await node.info()).toMatchObject({coordinatorPid: service.pid})
    expect(await node.info()).not.toHaveProperty('parent')
    const script = "trap 'exit 7' USR1; while :; do sleep 0.05; done"
    expect(await node.tally('run', '-d', '--name', 'on', '--rootfs', node.rootfs, '--', 'sh', '-c', script)).toMatchObject({exitCode: 0})
    const pid = findSupervisor(node, 'on') ?? 0
    const supervisor = readProcessIdentity(pid)
    if (!supervisor) throw new Error('the container has no supervisor')
    expect(readProcFile(`/proc/${pid}/environ`)).not.toContain('NOTIFY_SOCKET')

    sendSignal(service.pid, 'SIGTERM')
    expect(await next(socket)).toMatch(/^STOPPING=1\n/)
    expect(await service).toMatchObject({exitCode: 0})
    expect(isAlive(supervisor)).toBe(true)

    const again = startService(node, name)
    expect(await next(socket)).toContain(`READY=1\nMAINPID=${again.pid}\n`)
    expect(isAlive(supervisor)).toBe(true)
    expect(await node.info()).toMatchObject({containers: {running: 1}})
    // Killed: the next one finds the same nats-server.
    const {natsPid} = await node.info()
    sendSignal(again.pid, 'SIGKILL')
    await again
    expect(await node.tally('ps')).toMatchObject({exitCode: 1, stderr: expect.stringContaining('[NODE_NOT_RUNNING]')})
    const third = startService(node, name)
    await next(socket)
    expect(await node.info()).toMatchObject({natsPid, containers: {running: 1}})
    expect(await node.tally('kill', '-s', 'USR1', 'on')).toMatchObject({exitCode: 0})
    expect((await node.tally('wait', 'on')).stdout).toBe('7\n')
    expect(await node.tally('down', '--containers')).toMatchObject({exitCode: 0})
    expect(await third).toMatchObject({exitCode: 0})
  },
)

it('a service manager that does not listen is not waited for', async () => {
  await using node = await startNode({up: false})
  const service = startService(node, join(node.dir, 'nobody.sock'))
  await eventually('it answers', async () => (await node.tally('info')).exitCode === 0)
  expect(await node.tally('down')).toMatchObject({exitCode: 0})
  expect(await service).toMatchObject({exitCode: 0, stderr: expect.stringContaining('cannot tell the service manager')})
})
