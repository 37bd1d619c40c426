import {readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import type {ContainerView} from '../../machines/views/view.ts'
import {readProcFile} from '../support/proc.ts'
import {sendSignal} from '../support/send-signal.ts'
import {eventually, useNode} from '../support/tally-node.ts'

const node = useNode()

const run = async (id: string, check: string, ...args: readonly string[]) =>
  expect(await node.tally('run', '-d', '--name', id, '--rootfs', node.rootfs, '--health-cmd', check, ...args)).toMatchObject({
    exitCode: 0,
    stderr: '',
  })
/** So often that each check would leave its processes if any did. */
const often = ['--health-interval', '0.1s', '--health-timeout', '0.3s', '--health-retries', '1']
const sleepers = (seconds: string) =>
  readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && readProcFile(`/proc/${pid}/cmdline`) === `sleep\0${seconds}\0`)
const checked = async (id: string) => (await node.json<ContainerView>('inspect', id)).health
const isUnhealthy = (id: string) => eventually(`${id} is unhealthy`, async () => (await checked(id))?.status === 'unhealthy')
/** In which there are many checks. */
const someChecks = () => new Promise((resolve) => setTimeout(resolve, 5_000))

it.concurrent.each([
  ['of its shell', 'a', 'sleep 91001; exit 1', '91001', 1],
  ['beside it, and of sessions of their own', 'b', 'sleep 91002 & setsid sleep 91002 & sleep 91002', '91002', 3],
  [
    'whose parents have ended, and whose output is elsewhere',
    'c',
    '(setsid sh -c "sleep 91003 >/dev/null 2>&1 </dev/null &"); sleep 91003',
    '91003',
    2,
  ],
])('a check that takes too long ends with all processes %s', async (_what, id, check, seconds, atOnce) => {
  await run(id, check, ...often, '--pids-limit', '30', 'sleep', '600')
  await isUnhealthy(id)
  await someChecks()
  expect(sleepers(seconds).length).toBeLessThanOrEqual(atOnce)
  expect(await node.tally('exec', id, 'true')).toMatchObject({exitCode: 0})
  expect(await node.tally('rm', '-f', id)).toMatchObject({exitCode: 0})
})

it.concurrent('a check whose shell can take note of its ends leaves no zombies to an init that does not', async () => {
  await run('z', 'sleep 91004; exit 1', ...often, 'sleep', '600')
  await isUnhealthy('z')
  await someChecks()
  const {pid: initPid} = await node.json<{readonly pid: number}>('inspect', 'z')
  const zombies = readdirSync('/proc').filter((pid) => new RegExp(`^\\d+ \\(.*\\) Z ${initPid} `).test(readProcFile(`/proc/${pid}/stat`)))
  expect(zombies.length).toBeLessThanOrEqual(1)
  await node.tally('rm', '-f', 'z')
})

it.concurrent('one that ends in time ends with all of its processes as well', async () => {
  await run('d', 'setsid sleep 91005 >/dev/null 2>&1 & exit 0', '--health-interval', '0.1s', 'sleep', '600')
  await eventually('it is healthy', async () => (await checked('d'))?.status === 'healthy')
  await someChecks()
  expect(sleepers('91005').length).toBeLessThanOrEqual(1)
  await node.tally('rm', '-f', 'd')
})

it.concurrent('one that is under way when its supervisor dies ends with it', async () => {
  await run('e', 'setsid sleep 91006 & sleep 91006', '--health-interval', '0.1s', '--health-timeout', '1h', 'sleep', '600')
  await eventually('it is checked', () => sleepers('91006').length === 2)
  const former = sleepers('91006')
  sendSignal((await node.json<ContainerView>('inspect', 'e')).supervisorPid, 'SIGKILL')
  await eventually('its processes have ended', () => sleepers('91006').every((pid) => !former.includes(pid)))
})

it.concurrent('where the runtime has no groups for it, those end that are of its family, of its session, or have its output open', async () => {
  const runtime = join(node.dir, 'old-runc')
  writeFileSync(
    runtime,
    '#!/bin/sh\nfor a; do [ "$a" != --cgroup ] || { echo "no such flag: cgroup" >&2; exit 1; }; done\nexec runc "$@"\n',
    {
      mode: 0o755,
    },
  )
  await run(
    'g',
    '(setsid sleep 91007 &); (sleep 91007 >/dev/null 2>&1 &); sleep 91007; exit 1',
    ...often,
    '--runtime',
    runtime,
    'sleep',
    '600',
  )
  await isUnhealthy('g')
  await someChecks()
  expect(sleepers('91007').length).toBeLessThanOrEqual(3)
  expect((await checked('g'))?.output).toBe('it took longer than 300 ms')
  await node.tally('rm', '-f', 'g')
})

it.concurrent('has nothing of it seen in the container, whose own groups stay as they are', async () => {
  await run('f', 'true', '--health-interval', '0.1s', 'sleep', '600')
  await eventually('it is healthy', async () => (await checked('f'))?.status === 'healthy')
  const pid = (await node.json<{readonly pid: number}>('inspect', 'f')).pid
  expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).not.toContain('tally-check')
  await node.tally('rm', '-f', 'f')
})
